namespace Serve.Runtime;

/// <summary>Carries an error of the platform's own out of a turn, so that it is not taken for one of user code.</summary>
internal sealed class PlatformCallException(Exception cause) : Exception(cause.Message, cause)
{
    public Exception Cause => InnerException!;
}
