namespace Serve;

/// <summary>Where a task, or a call of an actor, stands. Ray's names.</summary>
public enum TaskPhase
{
    /// <summary>One of its arguments is not ready.</summary>
    PendingArguments,

    /// <summary>It is ready and waits for resources, a worker or its turn.</summary>
    PendingScheduling,

    /// <summary>It runs.</summary>
    Running,

    /// <summary>It runs, and waits for an object; its CPU is lent to others.</summary>
    Waiting,

    /// <summary>It has its result.</summary>
    Finished,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>It was cancelled.</summary>
    Cancelled,
}
