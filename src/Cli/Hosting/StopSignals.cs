using System.Runtime.InteropServices;

namespace Serve.Cli.Hosting;

/// <summary>Ctrl+C, SIGTERM and SIGHUP as tokens: the first asks for a clean end, the second forces it.</summary>
internal sealed class StopSignals : IDisposable
{
    // Whoever starts us may send a signal to us and to our group: that is one wish, not two.
    private static readonly TimeSpan OneWish = TimeSpan.FromMilliseconds(500);
    private readonly TimeProvider time;
    private readonly CancellationTokenSource asked = new();
    private readonly CancellationTokenSource forced = new();
    private readonly List<PosixSignalRegistration> registrations;
    private long askedAt;

    /// <summary>Takes the signals over.</summary>
    /// <param name="time">The clock.</param>
    public StopSignals(TimeProvider time)
    {
        this.time = time;
        PosixSignal[] signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP];
        registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    /// <summary>The first signal asks, the second forces.</summary>
    public StopTokens Tokens => new(asked.Token, forced.Token);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        asked.Dispose();
        forced.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        // Without this the runtime would end the process at once.
        context.Cancel = true;
        lock (registrations)
        {
            if (!asked.IsCancellationRequested)
                askedAt = time.GetTimestamp();
            else if (time.GetElapsedTime(askedAt) < OneWish)
                return;
        }

        (asked.IsCancellationRequested ? forced : asked).Cancel();
    }
}
