namespace Serve;

/// <summary>The actor is dead, or died during the call and the call was not retried. The call may have partially executed.</summary>
/// <param name="message">The actor and the cause of its death.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class ActorDiedException(string message, Exception? inner = null)
    : ServeException(ErrorReason.ActorDied, 502, isRetrySafe: false, message, inner);

/// <summary>No live actor has this name, or the actor is of another class.</summary>
/// <param name="message">The name, and the actors that exist.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class ActorNotFoundException(string message, Exception? inner = null)
    : ServeException(ErrorReason.ActorNotFound, 404, isRetrySafe: true, message, inner);

/// <summary>The actor has as many pending calls as its <c>MaxPendingCalls</c> allows. The call did not start.</summary>
/// <param name="message">The actor and its limit.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class PendingCallsLimitException(string message, Exception? inner = null)
    : ServeException(ErrorReason.PendingCallsLimit, 503, isRetrySafe: true, message, inner);

/// <summary>Unwinds an actor's code after <see cref="Cluster.ExitActor"/>. Do not catch it: an actor that swallows it keeps running.</summary>
public sealed class ActorExitException()
    : Exception("The actor is terminating itself. Do not catch this exception. Cluster.ExitActor has no effect outside of an actor.");
