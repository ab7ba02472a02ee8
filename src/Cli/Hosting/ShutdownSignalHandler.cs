using System.Runtime.InteropServices;

namespace Serve.Cli.Hosting;

/// <summary>Ctrl+C, SIGTERM and SIGHUP as tokens: the first asks for a clean end, the second forces it.</summary>
internal sealed class ShutdownSignalHandler : IDisposable
{
    // Whoever starts us may send a signal to us and to our group: that is one wish, not two.
    private static readonly TimeSpan OneWish = TimeSpan.FromMilliseconds(500);
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _asked = new();
    private readonly CancellationTokenSource _forced = new();
    private readonly List<PosixSignalRegistration> _registrations;
    private long _askedAt;

    /// <summary>Takes the signals over.</summary>
    /// <param name="time">The clock.</param>
    public ShutdownSignalHandler(TimeProvider time)
    {
        this._time = time;
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
        _registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    /// <summary>The first signal asks, the second forces.</summary>
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
        // Without this the runtime would end the process at once.
        context.Cancel = true;
        lock (_registrations)
        {
            if (!_asked.IsCancellationRequested)
                _askedAt = _time.GetTimestamp();
            else if (_time.GetElapsedTime(_askedAt) < OneWish)
                return;
        }

        (_asked.IsCancellationRequested ? _forced : _asked).Cancel();
    }
}
