namespace Serve;

/// <summary>What is known of one task, or of one call of an actor.</summary>
public sealed record TaskState
{
    /// <summary>Its id, which is also that of its result.</summary>
    public required string TaskId { get; init; }

    /// <summary>Its name: the function's or method's, unless the caller gave another.</summary>
    public required string Name { get; init; }

    /// <summary>The function or method.</summary>
    public required string Function { get; init; }

    /// <summary>Where it stands.</summary>
    public required TaskPhase State { get; init; }

    /// <summary>The actor whose call it is; null for a task.</summary>
    public string? ActorId { get; init; }

    /// <summary>The task that started it; null when the program itself did.</summary>
    public string? ParentTaskId { get; init; }

    /// <summary>The worker it runs on or ran on; null in this process, or before it started.</summary>
    public string? WorkerId { get; init; }

    /// <summary>How often it was started; above 1 it was retried.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>When it was started last; null before that.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>When it ended; null before that.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>The exception's type, when it failed.</summary>
    public string? ErrorType { get; init; }

    /// <summary>The exception's message, when it failed.</summary>
    public string? ErrorMessage { get; init; }
}
