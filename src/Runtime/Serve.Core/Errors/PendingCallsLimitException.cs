namespace Serve;

/// <summary>As many calls wait for the actor as its <c>MaxPendingCalls</c> allows. The call did not start.</summary>
/// <param name="message">Which actor, and its limit.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class PendingCallsLimitException(string message, Exception? inner = null)
    : ServeException(ErrorReason.PendingCallsLimit, 503, isRetrySafe: true, message, inner);
