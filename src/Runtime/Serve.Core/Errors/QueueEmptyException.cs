namespace Serve;

/// <summary>Nothing was in the queue before the time was up.</summary>
/// <param name="message">Which queue, and how long was waited.</param>
public sealed class QueueEmptyException(string message) : ServeException(ErrorReason.QueueEmpty, 503, isRetrySafe: true, message);
