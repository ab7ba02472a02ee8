namespace Serve;

/// <summary>Tells what the platform says of itself from what user code threw. Holds no state.</summary>
internal static class PlatformErrorClassifier
{
    /// <summary>Whether its message tells what to change, and where in the platform it was thrown tells nothing.</summary>
    public static bool IsPlatformError(Exception thrown) => thrown is DefinitionException or (ServeException and not UserCodeException);
}
