using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Turns;

/// <summary>No turns: calls run side by side on their callers' threads and the thread pool, blocking ones on dedicated threads. Holds no state.</summary>
internal sealed class ParallelTurns(ILogger logger) : ActorTurns
{
    private readonly DedicatedContext dedicated = new(logger);

    public override ValueTask<TResult> RunAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking = false)
    {
        if (blocking)
            return RunDedicatedAsync(state, turn);
        // The caller may be in a turn of another actor; this actor's continuations must not become turns of that one.
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

    private async ValueTask<TResult> RunDedicatedAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn)
    {
        await new DedicatedAwaiter(dedicated);
        return await turn(state).ConfigureAwait(false);
    }

    private async ValueTask RunDedicatedAsync<TState>(TState state, Func<TState, ValueTask> turn)
    {
        await new DedicatedAwaiter(dedicated);
        await turn(state).ConfigureAwait(false);
    }
}
