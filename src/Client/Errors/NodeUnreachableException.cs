namespace Serve;

/// <summary>The node does not answer at its address, or the connection to it broke.</summary>
/// <param name="message">Which address, and what to do.</param>
/// <param name="neverStarted">Whether the request certainly did not reach the node.</param>
/// <param name="inner">How it was seen.</param>
public sealed class NodeUnreachableException(string message, bool neverStarted, Exception? inner = null)
    : ServeException(ErrorReason.Unreachable, 503, isRetrySafe: neverStarted, message, inner);
