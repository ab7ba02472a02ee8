namespace Serve;

/// <summary>The request is invalid: an unknown method, arguments of the wrong number or type, or invalid JSON.</summary>
/// <param name="message">The expected and the actual input.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class BadInputException(string message, Exception? inner = null)
    : ServeException(ErrorReason.BadInput, 400, isRetrySafe: true, message, inner);

/// <summary>The replica's process died during the call. The call may have partially executed.</summary>
/// <param name="message">The replica, and how its process ended.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class ReplicaDiedException(string message, Exception? inner = null)
    : ServeException(ErrorReason.ReplicaDied, 502, isRetrySafe: false, message, inner);

/// <summary>All replicas are at <c>max_ongoing_requests</c> and the queue is at <c>max_queued_requests</c>.</summary>
/// <param name="message">The deployment and its limits.</param>
/// <param name="retryAfter">When to retry.</param>
public sealed class OverloadedException(string message, TimeSpan retryAfter)
    : ServeException(ErrorReason.Overloaded, 503, isRetrySafe: true, message)
{
    /// <summary>Gets when to retry.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>A deployment class, a configuration file or a REST body is invalid. Contains all errors, not only the first.</summary>
public sealed class DefinitionException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="errors">The errors, at least one; each names its subject and the remedy.</param>
    public DefinitionException(params IReadOnlyList<string> errors)
        : base(string.Join(Environment.NewLine, errors)) => Errors = errors;

    /// <summary>Gets all errors, in source order.</summary>
    public IReadOnlyList<string> Errors { get; }
}
