namespace Serve;

/// <summary>The call ran, but its result is not of the type that was asked for.</summary>
/// <param name="message">Which call, and what is wrong.</param>
/// <param name="inner">The reader's own error, if there is one.</param>
public sealed class UnreadableResultException(string message, Exception? inner = null)
    : ServeException(ErrorReason.UnreadableResult, 502, isRetrySafe: false, message, inner);
