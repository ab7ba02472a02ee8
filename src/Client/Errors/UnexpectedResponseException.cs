namespace Serve;

/// <summary>The node answered with an error that has no exception of its own: a conflict with what runs, a failure of the node itself, or something newer than this client.</summary>
/// <param name="reason">The node's own word for it; empty when it gave none.</param>
/// <param name="statusCode">The HTTP status.</param>
/// <param name="message">What the node said.</param>
public sealed class UnexpectedResponseException(string reason, int statusCode, string message)
    : ServeException(reason, statusCode, isRetrySafe: false, message);
