using Microsoft.Extensions.Logging;

namespace Serve.Runtime;

/// <summary>
/// Shutdown of one actor of this process: close, drain, cancel ongoing calls when the drain times out, abandon calls that ignore the cancellation, dispose.
/// The first request starts it; later requests wait for the same run.
/// </summary>
#pragma warning disable CA1001 // The sources have no timers, and their tokens are read as long as the actor is referenced.
public sealed partial class ActorShutdownSequence(ActorId id, ConcurrencyLimiter gate, ActorTurnScheduler turns, TimeProvider time, ILogger logger)
#pragma warning restore CA1001
{
    /// <summary>How long canceled calls may take to end.</summary>
    private static readonly TimeSpan AbortGrace = TimeSpan.FromSeconds(1);

    /// <summary>Time limit of the actor's own disposal.</summary>
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromSeconds(10);

    /// <summary>Time limit of the disposal if calls are stuck and the actor may never be free for it.</summary>
    private static readonly TimeSpan StuckDisposeLimit = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _cutShort = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly CancellationTokenSource _abandoned = new();
    private readonly Lock _sync = new();
    private Task? _end;

    /// <summary>Fires when the drain has timed out; passed to user code.</summary>
    public CancellationToken Aborted => _aborted.Token;

    /// <summary>Fires when calls ignored <see cref="Aborted"/>; their callers no longer wait for them.</summary>
    public CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Shuts the actor down. A second caller waits for the running shutdown, and cuts its drain short with a drain timeout of zero.</summary>
    public async Task EndAsync(ActorInstance instance, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        Task run;
        lock (_sync)
            run = _end ??= RunAsync(instance, drainTimeout);
        if (drainTimeout <= TimeSpan.Zero)
            await _cutShort.CancelAsync();
        await using var cut = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _cutShort);
        await run;
    }

    private async Task RunAsync(ActorInstance instance, TimeSpan drainTimeout)
    {
        gate.Close();
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (!await IsIdleWithinAsync(drainTimeout, _cutShort.Token))
        {
            Log.DrainTimedOut(logger, id, gate.Ongoing);
            await _aborted.CancelAsync();
            if (!await IsIdleWithinAsync(AbortGrace, CancellationToken.None))
            {
                Log.Abandoned(logger, id, gate.Ongoing);
                await _abandoned.CancelAsync();
            }
        }

        try
        {
            // A turn that never ends must not block the shutdown: the disposal is abandoned after a limit.
            await turns.RunAsync(instance, static instance => instance.DisposeAsync(), blocking: true).AsTask()
                .WaitAsync(_abandoned.IsCancellationRequested ? StuckDisposeLimit : DisposeLimit, time);
        }
        catch (Exception thrown)
        {
            Log.DisposeFailed(logger, thrown, id);
        }
    }

    private async Task<bool> IsIdleWithinAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await gate.WhenIdle.WaitAsync(limit, time, cancellationToken);
            return true;
        }
        catch (Exception thrown) when (thrown is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1000, Level = LogLevel.Warning, Message = "Drain of actor {Id} timed out with {Ongoing} ongoing calls; they are canceled")]
        public static partial void DrainTimedOut(ILogger logger, ActorId id, int ongoing);

        [LoggerMessage(EventId = 1001, Level = LogLevel.Warning, Message = "{Ongoing} calls of actor {Id} ignored their cancellation and were abandoned")]
        public static partial void Abandoned(ILogger logger, ActorId id, int ongoing);

        [LoggerMessage(EventId = 1002, Level = LogLevel.Warning, Message = "Disposal of actor {Id} failed")]
        public static partial void DisposeFailed(ILogger logger, Exception thrown, ActorId id);
    }
}
