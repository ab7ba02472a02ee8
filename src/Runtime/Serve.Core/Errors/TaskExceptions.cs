namespace Serve;

/// <summary>The worker process died while it ran the task, and the retries are exhausted. The task may have partially executed.</summary>
/// <param name="message">The task, the cause, and the number of attempts.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class WorkerDiedException(string message, Exception? inner = null)
    : ServeException(ErrorReason.WorkerDied, 502, isRetrySafe: false, message, inner);

/// <summary>The machine ran low on memory: the task was stopped to protect it, and the retries are exhausted.</summary>
/// <param name="message">The task, its memory use, and the limit.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class TaskOutOfMemoryException(string message, Exception? inner = null)
    : ServeException(ErrorReason.OutOfMemory, 507, isRetrySafe: false, message, inner);

/// <summary>Tasks and actors wait for each other in a cycle.</summary>
/// <param name="message">The cycle, one step per line.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class DeadlockException(string message, Exception? inner = null)
    : ServeException(ErrorReason.Deadlock, 500, isRetrySafe: false, message, inner);

/// <summary>The request exceeded its timeout. It may have executed, or may still be running.</summary>
/// <param name="message">The timeout, and what exceeded it.</param>
public sealed class RequestTimeoutException(string message)
    : ServeException(ErrorReason.Timeout, 408, isRetrySafe: false, message);

/// <summary>The request was refused before it started, because it could not be completed before its deadline.</summary>
/// <param name="message">The cause.</param>
public sealed class DeadlineUnmeetableException(string message)
    : ServeException(ErrorReason.DeadlineUnmeetable, 504, isRetrySafe: true, message);

/// <summary>The requested resources are not available.</summary>
/// <param name="message">The requested and the existing resources.</param>
/// <param name="isPermanent">Whether the request exceeds the total resources.</param>
public sealed class InsufficientResourcesException(string message, bool isPermanent)
    : ServeException(ErrorReason.InsufficientResources, 503, isRetrySafe: true, message)
{
    /// <summary>Gets whether the request exceeds the total resources.</summary>
    public bool IsPermanent { get; } = isPermanent;
}

/// <summary>The object was lost: its owner exited, its memory or file was lost, or it was freed; and it cannot be recomputed.</summary>
/// <param name="message">The object, how it was lost, and why it was not recomputed.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class ObjectLostException(string message, Exception? inner = null)
    : ServeException(ErrorReason.ObjectLost, 410, isRetrySafe: false, message, inner);

/// <summary>A value cannot be sent to another process: it has no serializer, or it is a closure.</summary>
/// <param name="message">The value, its type, and the remedy.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class NotSerializableException(string message, Exception? inner = null)
    : ServeException(ErrorReason.NotSerializable, 400, isRetrySafe: true, message, inner);

/// <summary>The queue was empty until the timeout expired.</summary>
/// <param name="message">The queue and the timeout.</param>
public sealed class QueueEmptyException(string message)
    : ServeException(ErrorReason.QueueEmpty, 503, isRetrySafe: true, message);

/// <summary>The queue was full until the timeout expired.</summary>
/// <param name="message">The queue, its capacity and the timeout.</param>
public sealed class QueueFullException(string message)
    : ServeException(ErrorReason.QueueFull, 503, isRetrySafe: true, message);

/// <summary>An object was not ready within the timeout of <c>Get</c>. Its task continues. A <see cref="TimeoutException"/> of the task's own code is not of this type.</summary>
/// <param name="message">The objects and the timeout.</param>
public sealed class GetTimeoutException(string message) : TimeoutException(message);
