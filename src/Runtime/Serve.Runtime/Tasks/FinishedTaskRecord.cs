namespace Serve.Runtime.Tasks;

/// <summary>What is remembered of a task, or of an actor's call. Plain fields: each property would be compiled on the way to a process's first result.</summary>
internal record struct FinishedTaskRecord
{
    public long Id;

    /// <summary>0 for none.</summary>
    public long Parent;

    public string Name;

    public string Function;

    public string? ActorId;

    public string? WorkerId;

    public TaskPhase State;

    public int Attempt;

    /// <summary>A <see cref="System.Diagnostics.Stopwatch"/> time; 0 when it never started.</summary>
    public long Started;

    /// <summary>A <see cref="System.Diagnostics.Stopwatch"/> time; 0 when it has not ended.</summary>
    public long Ended;

    public Exception? Error;
}
