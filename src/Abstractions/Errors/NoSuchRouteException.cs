namespace Serve;

/// <summary>No application answers at this path, or no deployment has this name.</summary>
/// <param name="message">What was looked for.</param>
public sealed class NoSuchRouteException(string message) : ServeException(ErrorReason.NoSuchRoute, 404, isRetrySafe: true, message);
