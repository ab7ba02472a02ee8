using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Turns;

/// <summary>Scheduler without turns: calls run concurrently on their callers' threads and the thread pool, blocking calls on dedicated threads. Mailbox calls start in order.</summary>
internal sealed class ParallelTurnScheduler(ILogger logger, Action<IThreadPoolWorkItem>? threads = null) : MailboxTurnScheduler(threads)
{
    /// <summary>Number of calls that one visit starts before it yields to other work.</summary>
    private const int CallsPerVisit = 32;

    private readonly DedicatedSynchronizationContext _dedicated = new(logger);

    protected override bool HasWork => HasCalls;

    public override ValueTask<TResult> RunAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking = false)
    {
        if (blocking)
            return RunDedicatedAsync(state, turn);
        // The caller may run in a turn of another actor; continuations of this actor must not become turns of that one.
        var outer = SynchronizationContext.Current;
        if (outer is not null)
            SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return turn(state);
        }
        catch (Exception thrown)
        {
            return ValueTask.FromException<TResult>(thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    public override ValueTask RunAsync<TState>(TState state, Func<TState, ValueTask> turn, bool blocking = false)
    {
        if (blocking)
            return RunDedicatedAsync(state, turn);
        var outer = SynchronizationContext.Current;
        if (outer is not null)
            SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            return turn(state);
        }
        catch (Exception thrown)
        {
            return ValueTask.FromException(thrown);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    /// <summary>Starts the next call on this thread. The claim is released first, so that another thread can start the call after it while this one runs.</summary>
    protected override void Visit()
    {
        for (var i = 0; i < CallsPerVisit; i++)
        {
            if (!MayTake || !TryTake(out var call))
                break;
            BeginOngoing();
            Release();
            Clock = System.Diagnostics.Stopwatch.GetTimestamp();
            if (call.IsBlocking)
            {
                RunDedicated(call);
            }
            else
            {
                var flow = ExecutionContext.Capture();
                Run(call);
                if (flow is not null && !ReferenceEquals(ExecutionContext.Capture(), flow))
                    ExecutionContext.Restore(flow);
            }

            if (!TryClaim())
                return;
        }

        Release();
    }

    private void RunDedicated(IMailboxCall call) => _dedicated.Run(new QueuedTurnCallback(() => Run(call), null, null, true));

    private void Run(IMailboxCall call)
    {
        call.Run();
        EndOngoing();
    }

    private async ValueTask<TResult> RunDedicatedAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn)
    {
        await new DedicatedThreadAwaiter(_dedicated);
        return await turn(state).ConfigureAwait(false);
    }

    private async ValueTask RunDedicatedAsync<TState>(TState state, Func<TState, ValueTask> turn)
    {
        await new DedicatedThreadAwaiter(_dedicated);
        await turn(state).ConfigureAwait(false);
    }
}
