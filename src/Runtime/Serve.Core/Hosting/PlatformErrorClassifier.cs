namespace Serve.Hosting;

/// <summary>Distinguishes errors that the platform reports from exceptions of user code.</summary>
public static class PlatformErrorClassifier
{
    /// <summary>Returns whether the message alone is sufficient for the user, so that a stack trace into the platform adds nothing.</summary>
    /// <param name="thrown">The exception.</param>
    /// <returns>Whether the platform reported it.</returns>
    public static bool IsPlatformError(Exception thrown) => thrown is DefinitionException or (ServeException and not UserCodeException);
}
