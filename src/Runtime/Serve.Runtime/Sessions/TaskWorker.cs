namespace Serve.Runtime.Sessions;

/// <summary>A worker process that runs tasks, as <see cref="TaskWorkers"/> sees it, which writes its state under its lock.</summary>
internal sealed class TaskWorker(HeadSession session, TimeProvider time)
{
    /// <summary>Work that is on its way while other work is done, as a time: longer than an answer takes.</summary>
    private const double WindowMicroseconds = 2000;

    private const int MostAhead = 256;
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Stall = TimeSpan.FromMilliseconds(5);

    private double average = Quick.TotalMicroseconds;
    private long progress = time.GetTimestamp();
    private bool isStalled;

    public HeadSession Session => session;

    /// <summary>What was given to it and has not ended, in order.</summary>
    public LinkedList<SentRun> Runs { get; } = [];

    /// <summary>Whose resources its runs have.</summary>
    public object? Lane { get; private set; }

    /// <summary>It takes no more runs.</summary>
    public bool IsEnding { get; set; }

    public bool TakesRuns => !IsEnding && !session.IsBroken && !session.Killed;

    /// <summary>Whether nothing runs on it: what is there waits for objects.</summary>
    public bool IsFree => TakesRuns && Runs.All(static run => run.Waits > 0);

    /// <summary>How long it has had nothing to do.</summary>
    public TimeSpan Idle => Runs.Count > 0 ? TimeSpan.Zero : time.GetElapsedTime(progress);

    /// <summary>How many runs may be on it: one, unless its tasks are so quick that it would wait for the next one each time.</summary>
    public int Depth => isStalled || average >= Quick.TotalMicroseconds ? 1 : (int)Math.Clamp(WindowMicroseconds / Math.Max(average, 1), 1, MostAhead);

    public void Add(SentRun run)
    {
        if (Runs.Count == 0)
            progress = time.GetTimestamp();
        Runs.AddLast(run);
        Lane = run.Attempt.Lane;
        run.SentTo(session);
    }

    /// <summary>A run leaves it unstarted, or with it.</summary>
    public void GiveUp(SentRun run)
    {
        Runs.Remove(run);
        if (Runs.Count == 0)
            Lane = null;
    }

    public void Remove(SentRun run, TimeSpan took)
    {
        Runs.Remove(run);
        progress = time.GetTimestamp();
        isStalled = false;
        average = took >= Quick ? took.TotalMicroseconds : (0.8 * Math.Min(average, 4 * Quick.TotalMicroseconds)) + (0.2 * took.TotalMicroseconds);
        if (Runs.Count == 0)
            Lane = null;
    }

    /// <summary>Whether one run has held up others for a while, seen for the first time.</summary>
    public bool SeeStall()
    {
        if (isStalled || Runs.Count < 2 || time.GetElapsedTime(progress) < Stall)
            return false;
        isStalled = true;
        return true;
    }
}
