namespace Serve.Controller;

/// <summary>What was asked for contradicts how the node runs now.</summary>
public sealed class NodeConflictException(string message) : Exception(message);
