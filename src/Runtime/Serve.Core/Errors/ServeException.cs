namespace Serve;

/// <summary>The base of everything that goes wrong with a request or a call. Its kinds are the same over HTTP and in C#.</summary>
public abstract class ServeException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="reason">One of <see cref="ErrorReason"/>.</param>
    /// <param name="statusCode">The HTTP status the reason has.</param>
    /// <param name="isRetrySafe">Whether the request certainly did not start, so that sending it again cannot do it twice.</param>
    /// <param name="message">What happened, and what to do next.</param>
    /// <param name="inner">The cause, if there is one.</param>
    protected ServeException(string reason, int statusCode, bool isRetrySafe, string message, Exception? inner = null)
        : base(message, inner)
    {
        Reason = reason;
        StatusCode = statusCode;
        IsRetrySafe = isRetrySafe;
    }

    /// <summary>One of <see cref="ErrorReason"/>.</summary>
    public string Reason { get; }

    /// <summary>The HTTP status the reason has.</summary>
    public int StatusCode { get; }

    /// <summary>Whether the request certainly did not start, so that sending it again cannot do it twice.</summary>
    public bool IsRetrySafe { get; }
}
