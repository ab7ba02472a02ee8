namespace Serve;

/// <summary>What is known of one worker process.</summary>
public sealed record WorkerState
{
    /// <summary>Its id.</summary>
    public required string WorkerId { get; init; }

    /// <summary>Its process id in the operating system.</summary>
    public required int Pid { get; init; }

    /// <summary>What it was started for: <c>tasks</c>, an actor's class, an application.</summary>
    public required string Purpose { get; init; }

    /// <summary>Tasks and calls that run on it now.</summary>
    public int Running { get; init; }

    /// <summary>Its resident memory in bytes; 0 where the system does not tell.</summary>
    public long Memory { get; init; }

    /// <summary>Its log.</summary>
    public string? LogFile { get; init; }
}
