using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Turns;

/// <summary>
/// One turn at a time. <see cref="pending"/> counts the running turn and the queued ones; who raises it from zero holds the actor, and
/// who lowers it without reaching zero hands the actor on to the thread pool. The only state, written with interlocked operations alone.
/// </summary>
internal sealed partial class TurnBasedTurns : ActorTurns, IThreadPoolWorkItem
{
    /// <summary>How many queued turns one visit to the thread pool runs before it lets other work by.</summary>
    private const int TurnsPerVisit = 32;

    private readonly ConcurrentQueue<QueuedTurn> queue = new();
    private readonly TurnContext context;
    private readonly TurnContext blockingContext;
    private readonly ILogger logger;
    private int pending;

    public TurnBasedTurns(ILogger logger)
    {
        this.logger = logger;
        context = new TurnContext(this, blocking: false);
        blockingContext = new TurnContext(this, blocking: true);
    }

    public override ValueTask<TResult> RunAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking = false)
    {
        if (blocking || !TryEnter())
            return QueueAsync(state, turn, blocking);
        ValueTask<TResult> result;
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            result = turn(state);
        }
        catch (Exception thrown)
        {
            result = ValueTask.FromException<TResult>(thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
            Leave();
        }

        // A task that completes under a foreign synchronization context never runs its awaiter inline; a bare value task source would.
        return result.IsCompleted ? result : new(result.AsTask());
    }

    public override ValueTask RunAsync<TState>(TState state, Func<TState, ValueTask> turn, bool blocking = false)
    {
        if (blocking || !TryEnter())
            return QueueAsync(state, turn, blocking);
        ValueTask result;
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            result = turn(state);
        }
        catch (Exception thrown)
        {
            result = ValueTask.FromException(thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
            Leave();
        }

        return result.IsCompleted ? result : new(result.AsTask());
    }

    /// <summary>Runs a callback as a turn of its own, later.</summary>
    public void Enqueue(QueuedTurn turn)
    {
        // Queued before it is counted: a count never promises a turn that is not there yet.
        queue.Enqueue(turn);
        if (Interlocked.Increment(ref pending) == 1)
            HandOn();
    }

    /// <summary>Drains the queue; the caller holds the actor.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        for (var i = 0; i < TurnsPerVisit; i++)
        {
            queue.TryDequeue(out var turn);
            if (turn.Blocking)
            {
                DedicatedThreads.Shared.Run(static state =>
                {
                    var (self, turn) = ((TurnBasedTurns, QueuedTurn))state!;
                    self.Run(turn);
                    self.Leave();
                }, (this, turn));
                return;
            }

            Run(turn);
            if (Interlocked.Decrement(ref pending) == 0)
                return;
        }

        HandOn();
    }

    private bool TryEnter() =>
        Volatile.Read(ref pending) == 0
        && RuntimeHelpers.TryEnsureSufficientExecutionStack()
        && Interlocked.CompareExchange(ref pending, 1, 0) == 0;

    private void Leave()
    {
        if (Interlocked.Decrement(ref pending) != 0)
            HandOn();
    }

    private void HandOn() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    private void Run(in QueuedTurn turn)
    {
        var outer = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(turn.Blocking ? blockingContext : context);
        try
        {
            turn.Invoke();
        }
        catch (Exception thrown)
        {
            // Only what nobody awaits arrives here. The default, ending the process, would take the other actors along.
            LogUnobserved(logger, thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    private async ValueTask<TResult> QueueAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking)
    {
        await new TurnAwaiter(this, blocking);
        return await turn(state).ConfigureAwait(false);
    }

    private async ValueTask QueueAsync<TState>(TState state, Func<TState, ValueTask> turn, bool blocking)
    {
        await new TurnAwaiter(this, blocking);
        await turn(state).ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "User code threw where nobody awaits it (async void or a posted callback). The actor lives on.")]
    private static partial void LogUnobserved(ILogger logger, Exception thrown);
}
