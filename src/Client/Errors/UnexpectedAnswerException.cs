namespace Serve;

/// <summary>The node answered with an error that this version of the client does not know.</summary>
/// <param name="reason">The node's own word for it; empty when it gave none.</param>
/// <param name="statusCode">The HTTP status.</param>
/// <param name="message">What the node said.</param>
public sealed class UnexpectedAnswerException(string reason, int statusCode, string message)
    : ServeException(reason, statusCode, isRetrySafe: false, message);
