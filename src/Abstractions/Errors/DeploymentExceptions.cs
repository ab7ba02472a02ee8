namespace Serve;

/// <summary>The deployment has no available replica, and none is starting.</summary>
/// <param name="message">The deployment and the cause.</param>
public sealed class NoReplicaException(string message) : ServeException(ErrorReason.NoReplica, 503, isRetrySafe: true, message);

/// <summary>No application has this path, or no deployment has this name.</summary>
/// <param name="message">The path or name.</param>
public sealed class NoSuchRouteException(string message) : ServeException(ErrorReason.NoSuchRoute, 404, isRetrySafe: true, message);

/// <summary>A model cannot be loaded or run, for a reason that the inference runtime reports.</summary>
/// <param name="message">The model and the operation that failed.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class InferenceException(string message, Exception? inner = null)
    : ServeException(ErrorReason.InferenceFailed, 500, isRetrySafe: false, message, inner);
