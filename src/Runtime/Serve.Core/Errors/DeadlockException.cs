namespace Serve;

/// <summary>Tasks and actors wait for each other in a circle, which can never end.</summary>
/// <param name="message">The circle, one step a line.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class DeadlockException(string message, Exception? inner = null)
    : ServeException(ErrorReason.Deadlock, 500, isRetrySafe: false, message, inner);
