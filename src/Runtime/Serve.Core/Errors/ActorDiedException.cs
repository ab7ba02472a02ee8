namespace Serve;

/// <summary>The actor is dead, or died while the call was on it and the call was not to be retried. It may have run in part.</summary>
/// <param name="message">Which actor, and why it is dead.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class ActorDiedException(string message, Exception? inner = null)
    : ServeException(ErrorReason.ActorDied, 502, isRetrySafe: false, message, inner);
