using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Turns;

namespace Serve.Runtime;

/// <summary>
/// Runs user code of one actor: one turn at a time, interleaved at awaits, or concurrently. A turn is the code from entry to the next await that does not
/// complete synchronously; the continuation is another turn.
/// </summary>
public abstract class ActorTurnScheduler
{
    /// <summary>Creates the scheduler of a new actor.</summary>
    /// <param name="mode">How calls may overlap.</param>
    /// <param name="logger">Receives unobserved exceptions (<c>async void</c>, posted callbacks).</param>
    public static ActorTurnScheduler Create(ConcurrencyMode mode, ILogger? logger = null) => mode switch
    {
        ConcurrencyMode.TurnBased => new TurnBasedScheduler(logger ?? NullLogger.Instance),
        ConcurrencyMode.Parallel => new ParallelTurnScheduler(logger ?? NullLogger.Instance),
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "Unknown concurrency mode."),
    };

    /// <summary>Runs code in turns: immediately on the calling thread if the actor is free, otherwise when its turn comes.</summary>
    /// <typeparam name="TState">Type of the argument, which avoids a closure.</typeparam>
    /// <typeparam name="TResult">Result type of the code.</typeparam>
    /// <param name="state">Argument of <paramref name="turn"/>.</param>
    /// <param name="turn">The code.</param>
    /// <param name="blocking">Whether the code blocks its thread and needs a dedicated one.</param>
    /// <returns>The result or exception of the code. The caller's continuation does not run inside the actor's turn.</returns>
    public abstract ValueTask<TResult> RunAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking = false);

    /// <inheritdoc cref="RunAsync{TState, TResult}"/>
    public abstract ValueTask RunAsync<TState>(TState state, Func<TState, ValueTask> turn, bool blocking = false);

    /// <summary>Runs code in turns that start before all waiting ones, its continuations included. It waits for the running turn only. For short operations of the platform, such as health checks.</summary>
    /// <typeparam name="TState">Type of the argument, which avoids a closure.</typeparam>
    /// <param name="state">Argument of <paramref name="turn"/>.</param>
    /// <param name="turn">The code.</param>
    /// <returns>The exception of the code, if it throws.</returns>
    public virtual ValueTask RunUrgentAsync<TState>(TState state, Func<TState, ValueTask> turn) => RunAsync(state, turn);

    /// <summary>Wraps a stream so that each step runs as a turn of this actor.</summary>
    /// <typeparam name="TItem">Type of the items.</typeparam>
    /// <param name="source">The user's stream.</param>
    /// <param name="blocking">Whether the steps block their thread.</param>
    public virtual IAsyncEnumerable<TItem> Wrap<TItem>(IAsyncEnumerable<TItem> source, bool blocking = false) =>
        new TurnBoundStream<TItem>(this, source, blocking);
}
