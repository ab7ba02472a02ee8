namespace Serve;

/// <summary>There was no room in the queue before the time was up.</summary>
/// <param name="message">Which queue, how much it holds, and how long was waited.</param>
public sealed class QueueFullException(string message) : ServeException(ErrorReason.QueueFull, 503, isRetrySafe: true, message);
