namespace Serve;

/// <summary>Tells what the platform says of itself from what user code threw. Holds no state.</summary>
internal static class PlatformErrors
{
    /// <summary>Whether its message tells what to change, and where in the platform it was thrown tells nothing.</summary>
    public static bool Include(Exception thrown) => thrown is DefinitionException or (ServeException and not UserCodeException);
}
