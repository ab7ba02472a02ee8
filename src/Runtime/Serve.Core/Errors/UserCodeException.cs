namespace Serve;

/// <summary>The deployment's own code threw. Inside one process the original is the <see cref="Exception.InnerException"/>.</summary>
public sealed class UserCodeException : ServeException
{
    /// <summary>Wraps what user code threw in this process.</summary>
    /// <param name="thrown">The original exception.</param>
    public UserCodeException(Exception thrown)
        : this(thrown.GetType().FullName ?? thrown.GetType().Name, thrown.Message, thrown.ToString(), thrown)
    {
    }

    /// <summary>Describes what user code threw in another process.</summary>
    /// <param name="type">The full name of the exception's type.</param>
    /// <param name="message">Its message.</param>
    /// <param name="remoteStack">Its whole text with stack; null when the server does not tell.</param>
    /// <param name="inner">The original, when it was thrown in this process.</param>
    public UserCodeException(string type, string message, string? remoteStack, Exception? inner = null)
        : base(ErrorReason.UserException, 500, isRetrySafe: false, message, inner)
    {
        ExceptionType = type;
        RemoteStack = remoteStack;
    }

    /// <summary>The full name of the type that was thrown.</summary>
    public string ExceptionType { get; }

    /// <summary>The thrown exception's whole text with stack; null when the server does not tell.</summary>
    public string? RemoteStack { get; }
}
