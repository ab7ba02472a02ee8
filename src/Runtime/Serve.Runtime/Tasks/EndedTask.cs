namespace Serve.Runtime.Tasks;

/// <summary>What is remembered of a task, or of an actor's call.</summary>
internal record struct EndedTask
{
    public long Id { get; set; }

    /// <summary>0 for none.</summary>
    public long Parent { get; set; }

    public string Name { get; set; }

    public string Function { get; set; }

    public string? ActorId { get; set; }

    public string? WorkerId { get; set; }

    public TaskPhase State { get; set; }

    public int Attempt { get; set; }

    /// <summary>A <see cref="System.Diagnostics.Stopwatch"/> time; 0 when it never started.</summary>
    public long Started { get; set; }

    /// <summary>A <see cref="System.Diagnostics.Stopwatch"/> time; 0 when it has not ended.</summary>
    public long Ended { get; set; }

    public Exception? Error { get; set; }
}
