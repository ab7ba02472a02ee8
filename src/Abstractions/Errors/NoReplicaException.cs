namespace Serve;

/// <summary>The deployment has no replica that could answer, and none is coming soon.</summary>
/// <param name="message">Which deployment, and why.</param>
public sealed class NoReplicaException(string message) : ServeException(ErrorReason.NoReplica, 503, isRetrySafe: true, message);
