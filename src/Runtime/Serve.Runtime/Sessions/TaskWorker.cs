namespace Serve.Runtime.Sessions;

/// <summary>A worker process that runs tasks, as <see cref="TaskWorkers"/> sees it, which writes its state under its lock.</summary>
internal sealed class TaskWorker(HeadSession session)
{
    public HeadSession Session => session;

    /// <summary>What was given to it and has not ended, in order.</summary>
    public LinkedList<SentRun> Runs { get; } = [];

    /// <summary>Since when it has nothing to do.</summary>
    public long IdleSince { get; set; }

    /// <summary>It takes no more runs.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Whether nothing runs on it: what is there waits for objects.</summary>
    public bool IsFree => !IsEnding && Runs.All(static run => run.Waits > 0);
}
