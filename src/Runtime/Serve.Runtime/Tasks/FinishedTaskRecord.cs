namespace Serve.Runtime.Tasks;

/// <summary>Record of a task or an actor call. Uses fields, because every property would be JIT-compiled before the first result of a process.</summary>
internal record struct FinishedTaskRecord
{
    public long Id;

    /// <summary>Packed id of the parent; 0 if there is none.</summary>
    public long Parent;

    public string Name;

    public string Function;

    public string? ActorId;

    public string? WorkerId;

    public TaskPhase State;

    public int Attempt;

    /// <summary><see cref="System.Diagnostics.Stopwatch"/> timestamp; 0 if the task never started.</summary>
    public long Started;

    /// <summary><see cref="System.Diagnostics.Stopwatch"/> timestamp; 0 if the task has not finished.</summary>
    public long Ended;

    public Exception? Error;
}
