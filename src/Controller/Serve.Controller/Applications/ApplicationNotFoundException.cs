namespace Serve.Controller;

/// <summary>No application or deployment has that name.</summary>
public sealed class ApplicationNotFoundException(string message) : Exception(message);
