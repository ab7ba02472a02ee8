using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Turns;

namespace Serve.Runtime;

/// <summary>
/// How user code of one actor is run: one turn at a time with interleaving at awaits, or side by side. A turn is the stretch of code from
/// entering to the next await that does not complete at once; its continuation is a turn again.
/// </summary>
public abstract class ActorTurnScheduler
{
    /// <summary>The turns of a new actor.</summary>
    /// <param name="mode">How its calls may overlap.</param>
    /// <param name="logger">Told of exceptions that nobody awaits (<c>async void</c>, posted callbacks).</param>
    /// <returns>Turns that belong to one actor.</returns>
    public static ActorTurnScheduler Create(ConcurrencyMode mode, ILogger? logger = null) => mode switch
    {
        ConcurrencyMode.TurnBased => new TurnBasedScheduler(logger ?? NullLogger.Instance),
        ConcurrencyMode.Parallel => new ParallelTurnScheduler(logger ?? NullLogger.Instance),
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "Not a concurrency mode."),
    };

    /// <summary>Runs code in turns: at once on this thread when the actor is free, else when its turn comes.</summary>
    /// <typeparam name="TState">Handed to <paramref name="turn"/>, so that it need not capture.</typeparam>
    /// <typeparam name="TResult">What the code returns.</typeparam>
    /// <param name="state">Handed to <paramref name="turn"/>.</param>
    /// <param name="turn">The code.</param>
    /// <param name="blocking">Whether it blocks its thread and so must have a dedicated one.</param>
    /// <returns>The code's own result or exception. The caller's continuation does not run inside the actor's turn.</returns>
    public abstract ValueTask<TResult> RunAsync<TState, TResult>(TState state, Func<TState, ValueTask<TResult>> turn, bool blocking = false);

    /// <inheritdoc cref="RunAsync{TState, TResult}"/>
    public abstract ValueTask RunAsync<TState>(TState state, Func<TState, ValueTask> turn, bool blocking = false);

    /// <summary>A stream whose every step runs as a turn of this actor.</summary>
    /// <typeparam name="TItem">The items' type.</typeparam>
    /// <param name="source">The user's stream.</param>
    /// <param name="blocking">Whether its steps block their thread.</param>
    /// <returns>The same items.</returns>
    public virtual IAsyncEnumerable<TItem> Wrap<TItem>(IAsyncEnumerable<TItem> source, bool blocking = false) =>
        new TurnBoundStream<TItem>(this, source, blocking);
}
