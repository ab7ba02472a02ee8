namespace Serve;

/// <summary>The node is unreachable, or the connection to it broke.</summary>
/// <param name="message">The address and the remedy.</param>
/// <param name="neverStarted">Whether the request certainly did not reach the node.</param>
/// <param name="inner">The connection error.</param>
public sealed class NodeUnreachableException(string message, bool neverStarted, Exception? inner = null)
    : ServeException(ErrorReason.Unreachable, 503, isRetrySafe: neverStarted, message, inner);

/// <summary>The node rejected the caller: the token is missing or wrong, or the host name is not one of the node's.</summary>
/// <param name="reason"><see cref="ErrorReason.Unauthorized"/> or <see cref="ErrorReason.Forbidden"/>.</param>
/// <param name="statusCode">401 or 403.</param>
/// <param name="message">The cause and the remedy.</param>
public sealed class AccessDeniedException(string reason, int statusCode, string message)
    : ServeException(reason, statusCode, isRetrySafe: true, message);

/// <summary>The call was executed, but its result is not of the requested type.</summary>
/// <param name="message">The call and the problem with its result.</param>
/// <param name="inner">The deserialization error, if there is one.</param>
public sealed class UnreadableResultException(string message, Exception? inner = null)
    : ServeException(ErrorReason.UnreadableResult, 502, isRetrySafe: false, message, inner);

/// <summary>The node responded with an error that has no exception class of its own: a conflict, a failure of the node, or a reason that is newer than this client.</summary>
/// <param name="reason">The reason that the node sent; empty if it sent none.</param>
/// <param name="statusCode">The HTTP status.</param>
/// <param name="message">The node's message.</param>
public sealed class UnexpectedResponseException(string reason, int statusCode, string message)
    : ServeException(reason, statusCode, isRetrySafe: false, message);
