using System.Runtime.InteropServices;

namespace Serve.Cli.Hosting;

/// <summary>Maps Ctrl+C, SIGTERM and SIGHUP to cancellation tokens: the first signal requests a graceful shutdown, the second forces it.</summary>
internal sealed class ShutdownSignalHandler : IDisposable
{
    // A parent may send the same signal to this process and to its process group.
    private static readonly TimeSpan DuplicateInterval = TimeSpan.FromMilliseconds(500);
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _asked = new();
    private readonly CancellationTokenSource _forced = new();
    private readonly List<PosixSignalRegistration> _registrations;
    private long _askedAt;

    /// <summary>Registers the handler.</summary>
    /// <param name="time">Clock.</param>
    public ShutdownSignalHandler(TimeProvider time)
    {
        _time = time;
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
        _registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    /// <summary>Tokens of the first and the second signal.</summary>
    public ShutdownTokens Tokens => new(_asked.Token, _forced.Token);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _asked.Dispose();
        _forced.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        // By default the runtime terminates the process.
        context.Cancel = true;
        lock (_registrations)
        {
            if (!_asked.IsCancellationRequested)
                _askedAt = _time.GetTimestamp();
            else if (_time.GetElapsedTime(_askedAt) < DuplicateInterval)
                return;
        }

        (_asked.IsCancellationRequested ? _forced : _asked).Cancel();
    }
}

/// <summary>Tokens that stop a command.</summary>
/// <param name="Requested">Requests a graceful stop.</param>
/// <param name="Forced">Forces an immediate stop.</param>
internal readonly record struct ShutdownTokens(CancellationToken Requested, CancellationToken Forced);
