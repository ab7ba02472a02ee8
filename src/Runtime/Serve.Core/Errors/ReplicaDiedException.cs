namespace Serve;

/// <summary>The replica's process ended while the call was on it. The call may have run in part.</summary>
/// <param name="message">Which replica, and how its process ended.</param>
/// <param name="inner">The broken connection, if that is how it was seen.</param>
public sealed class ReplicaDiedException(string message, Exception? inner = null)
    : ServeException(ErrorReason.ReplicaDied, 502, isRetrySafe: false, message, inner);
