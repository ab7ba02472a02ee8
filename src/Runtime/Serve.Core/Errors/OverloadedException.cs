namespace Serve;

/// <summary>All replicas are at <c>max_ongoing_requests</c> and the queue is at <c>max_queued_requests</c>.</summary>
/// <param name="message">Which deployment, and its limits.</param>
/// <param name="retryAfter">When trying again is worth it.</param>
public sealed class OverloadedException(string message, TimeSpan retryAfter)
    : ServeException(ErrorReason.Overloaded, 503, isRetrySafe: true, message)
{
    /// <summary>When trying again is worth it.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
