namespace Serve;

/// <summary>The state of one worker process.</summary>
public sealed record WorkerState
{
    /// <summary>The worker's id.</summary>
    public required string WorkerId { get; init; }

    /// <summary>The operating system's process id.</summary>
    public required int Pid { get; init; }

    /// <summary>The purpose: <c>tasks</c>, an actor's class, or an application.</summary>
    public required string Purpose { get; init; }

    /// <summary>The number of running tasks and calls.</summary>
    public int Running { get; init; }

    /// <summary>Resident memory in bytes; 0 if unknown.</summary>
    public long Memory { get; init; }

    /// <summary>The log file.</summary>
    public string? LogFile { get; init; }
}
