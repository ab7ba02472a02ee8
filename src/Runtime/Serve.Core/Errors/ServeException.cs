namespace Serve;

/// <summary>Base class of the errors of requests and calls. Each kind is the same over HTTP and in C#.</summary>
public abstract class ServeException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="reason">One of <see cref="ErrorReason"/>.</param>
    /// <param name="statusCode">The HTTP status of the reason.</param>
    /// <param name="isRetrySafe">Whether the request certainly did not start, so that a retry cannot execute it twice.</param>
    /// <param name="message">What happened, and what to do.</param>
    /// <param name="inner">The cause, if there is one.</param>
    protected ServeException(string reason, int statusCode, bool isRetrySafe, string message, Exception? inner = null)
        : base(message, inner)
    {
        Reason = reason;
        StatusCode = statusCode;
        IsRetrySafe = isRetrySafe;
    }

    /// <summary>Gets the reason, one of <see cref="ErrorReason"/>.</summary>
    public string Reason { get; }

    /// <summary>Gets the HTTP status of the reason.</summary>
    public int StatusCode { get; }

    /// <summary>Gets whether the request certainly did not start, so that a retry cannot execute it twice.</summary>
    public bool IsRetrySafe { get; }
}

/// <summary>
/// User code threw an exception that the caller does not receive itself: it was thrown by a deployment, by an item of <c>Map</c>, or by a task or actor in another process from which it cannot be sent. <see cref="Exception.InnerException"/> is the original where this process has it.
/// </summary>
public sealed class UserCodeException : ServeException
{
    /// <summary>Wraps an exception that user code threw in this process.</summary>
    /// <param name="thrown">The original exception.</param>
    public UserCodeException(Exception thrown)
        : this(thrown.GetType().FullName ?? thrown.GetType().Name, thrown.Message, thrown.ToString(), thrown) => Original = thrown;

    /// <summary>Describes an exception that user code threw in another process.</summary>
    /// <param name="type">The full name of the exception's type.</param>
    /// <param name="message">Its message.</param>
    /// <param name="remoteStack">Its text with stack trace; null if the server does not disclose it.</param>
    /// <param name="inner">The original, if it was thrown in this process.</param>
    public UserCodeException(string type, string message, string? remoteStack, Exception? inner = null)
        : base(ErrorReason.UserException, 500, isRetrySafe: false, message, inner)
    {
        ExceptionType = type;
        RemoteStack = remoteStack;
    }

    /// <summary>Gets the full name of the exception's type.</summary>
    public string ExceptionType { get; }

    /// <summary>Gets the exception's text with stack trace; null if the server does not disclose it.</summary>
    public string? RemoteStack { get; }

    /// <summary>Gets why the original could not be sent from the process that threw it, with the path to the member; null if it was sent, or did not need to be.</summary>
    public string? TransferObstacle { get; init; }

    /// <summary>The original, which callers of tasks and actors receive instead of this exception; null if they receive this exception.</summary>
    internal Exception? Original { get; }
}
