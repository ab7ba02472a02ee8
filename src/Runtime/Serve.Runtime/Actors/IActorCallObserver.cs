namespace Serve.Runtime;

/// <summary>Observes the calls of an actor, for metrics. Called from any thread; must not block or throw.</summary>
public interface IActorCallObserver
{
    /// <summary>Reports the end of a call or stream.</summary>
    /// <param name="method">The method's name.</param>
    /// <param name="duration">Time since the call was admitted.</param>
    /// <param name="error">The exception thrown to the caller; null if the call succeeded. A <see cref="UserCodeException"/> was thrown by the actor.</param>
    void OnEnded(string method, TimeSpan duration, Exception? error);
}
