using Microsoft.Extensions.Logging;

namespace Serve.Runtime;

/// <summary>
/// How one actor of this process ends: closed, drained, aborted when the drain takes too long, abandoned when even that does not help,
/// disposed. Each step is taken once, by the first that asks; its state is written by that one run.
/// </summary>
#pragma warning disable CA1001 // The sources have no timers, and their tokens are looked at for as long as anyone refers to the actor.
internal sealed partial class ActorShutdownSequence(ActorId id, ConcurrencyLimiter gate, ActorTurnScheduler turns, TimeProvider time, ILogger logger)
#pragma warning restore CA1001
{
    /// <summary>How long calls may take to notice that they were cancelled.</summary>
    private static readonly TimeSpan AbortGrace = TimeSpan.FromSeconds(1);

    /// <summary>How long an actor's own disposal may take.</summary>
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromSeconds(10);

    /// <summary>The same when calls are stuck already and the actor may never be free for it.</summary>
    private static readonly TimeSpan StuckDisposeLimit = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _cutShort = new();
    private readonly CancellationTokenSource _aborted = new();
    private readonly CancellationTokenSource _abandoned = new();
    private readonly Lock _sync = new();
    private Task? _end;

    /// <summary>Fires when the drain has taken too long; user code sees it.</summary>
    public CancellationToken Aborted => _aborted.Token;

    /// <summary>Fires when calls did not heed <see cref="Aborted"/>; their callers are let go.</summary>
    public CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Ends the actor; a second caller waits for the first one's run, and cuts its drain short by asking for none.</summary>
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
            LogDrainTimedOut(logger, id, gate.Ongoing);
            await _aborted.CancelAsync();
            if (!await IsIdleWithinAsync(AbortGrace, CancellationToken.None))
            {
                LogAbandoned(logger, id, gate.Ongoing);
                await _abandoned.CancelAsync();
            }
        }

        try
        {
            // A turn that never ends must not keep its actor from ending: the disposal is given up with it.
            await turns.RunAsync(instance, static instance => instance.DisposeAsync(), blocking: true).AsTask()
                .WaitAsync(_abandoned.IsCancellationRequested ? StuckDisposeLimit : DisposeLimit, time);
        }
        catch (Exception thrown)
        {
            LogDisposeFailed(logger, thrown, id);
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Actor {Id} still has {Ongoing} calls after its drain timeout; they are cancelled")]
    private static partial void LogDrainTimedOut(ILogger logger, ActorId id, int ongoing);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Ongoing} calls of actor {Id} did not end when cancelled; they are abandoned")]
    private static partial void LogAbandoned(ILogger logger, ActorId id, int ongoing);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Actor {Id} could not be disposed")]
    private static partial void LogDisposeFailed(ILogger logger, Exception thrown, ActorId id);
}
