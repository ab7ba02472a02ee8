namespace Serve;

/// <summary>The node does not take requests from this caller: the token is missing or wrong, or the host name is not one of its own.</summary>
/// <param name="reason"><see cref="ErrorReason.Unauthorized"/> or <see cref="ErrorReason.Forbidden"/>.</param>
/// <param name="statusCode">401 or 403.</param>
/// <param name="message">What is missing, and what to do.</param>
public sealed class AccessDeniedException(string reason, int statusCode, string message)
    : ServeException(reason, statusCode, isRetrySafe: true, message);
