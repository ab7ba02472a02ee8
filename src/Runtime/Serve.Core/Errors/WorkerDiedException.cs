namespace Serve;

/// <summary>The worker process of a task ended while the task was on it, and its retries are used up. The task may have run in part.</summary>
/// <param name="message">Which task, how the process ended, and how often it was tried.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class WorkerDiedException(string message, Exception? inner = null)
    : ServeException(ErrorReason.WorkerDied, 502, isRetrySafe: false, message, inner);
