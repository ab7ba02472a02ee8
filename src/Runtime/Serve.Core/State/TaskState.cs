namespace Serve;

/// <summary>The state of one task or actor call.</summary>
public sealed record TaskState
{
    /// <summary>The task's id, which is also the id of its result.</summary>
    public required string TaskId { get; init; }

    /// <summary>The task's name. Default: the name of the function or method.</summary>
    public required string Name { get; init; }

    /// <summary>The function or method.</summary>
    public required string Function { get; init; }

    /// <summary>The task's phase.</summary>
    public required TaskPhase State { get; init; }

    /// <summary>The called actor; null for a task.</summary>
    public string? ActorId { get; init; }

    /// <summary>The task that started this one; null if the program itself did.</summary>
    public string? ParentTaskId { get; init; }

    /// <summary>The worker that runs or ran the task; null in this process, or before it started.</summary>
    public string? WorkerId { get; init; }

    /// <summary>The attempt number; above 1 after a retry.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>When the last attempt started; null before that.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>When the task ended; null before that.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>The exception's type if the task failed.</summary>
    public string? ErrorType { get; init; }

    /// <summary>The exception's message if the task failed.</summary>
    public string? ErrorMessage { get; init; }
}

/// <summary>The phase of a task or actor call, with Ray's names.</summary>
public enum TaskPhase
{
    /// <summary>An argument is not ready.</summary>
    PendingArguments,

    /// <summary>The task is runnable and waits for resources, a worker or its turn.</summary>
    PendingScheduling,

    /// <summary>The task is running.</summary>
    Running,

    /// <summary>The task has started and waits for an object; its CPU is available to others.</summary>
    Waiting,

    /// <summary>The task completed successfully.</summary>
    Finished,

    /// <summary>The task failed.</summary>
    Failed,

    /// <summary>The task was canceled.</summary>
    Cancelled,
}
