namespace Serve.Controller;

/// <summary>No application or deployment has that name.</summary>
public sealed class NoSuchApplicationException(string message) : Exception(message);
