namespace Serve.Runtime;

/// <summary>Counts an actor's calls, for metrics. Called from many threads; must not block or throw.</summary>
public interface IActorCallObserver
{
    /// <summary>A call or a stream has ended.</summary>
    /// <param name="method">The method's name.</param>
    /// <param name="duration">From when the gate let it in.</param>
    /// <param name="error">What the caller was given; null when it succeeded. A <see cref="UserCodeException"/> is the actor's own.</param>
    void OnEnded(string method, TimeSpan duration, Exception? error);
}
