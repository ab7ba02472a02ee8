namespace Serve;

/// <summary>The machine's memory was nearly full: the task was stopped to keep the machine alive, and its retries are used up.</summary>
/// <param name="message">Which task, what it used, and the limit.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class TaskOutOfMemoryException(string message, Exception? inner = null)
    : ServeException(ErrorReason.OutOfMemory, 507, isRetrySafe: false, message, inner);
