namespace Serve;

/// <summary>No living actor has this name, or the one that has it is of another class.</summary>
/// <param name="message">The name, and what there is.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class ActorNotFoundException(string message, Exception? inner = null)
    : ServeException(ErrorReason.ActorNotFound, 404, isRetrySafe: true, message, inner);
