using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Workers.Processes;

/// <summary>A worker process that runs tasks, as <see cref="WorkerTaskExecutor"/> sees it, which writes its state under its lock.</summary>
internal sealed class TaskWorkerState(WorkerConnection session, TimeProvider time)
{
    /// <summary>Work that is on its way while other work is done, as a time: longer than an answer takes.</summary>
    private const double WindowMicroseconds = 2000;

    private const int MostAhead = 256;
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Stall = TimeSpan.FromMilliseconds(5);

    private double _average = Quick.TotalMicroseconds;
    private long _progress = time.GetTimestamp();
    private bool _isStalled;

    public WorkerConnection Session => session;

    /// <summary>What was given to it and has not ended, in order.</summary>
    public LinkedList<DispatchedTask> Runs { get; } = [];

    /// <summary>Whose resources its runs have.</summary>
    public object? Lane { get; private set; }

    /// <summary>It takes no more runs.</summary>
    public bool IsEnding { get; set; }

    public bool AcceptsTasks => !IsEnding && !session.IsBroken && !session.IsKilledByCluster;

    /// <summary>Whether nothing runs on it: what is there waits for objects.</summary>
    public bool IsFree => AcceptsTasks && Runs.All(static run => run.Waits > 0);

    /// <summary>How long it has had nothing to do.</summary>
    public TimeSpan IdleTime => Runs.Count > 0 ? TimeSpan.Zero : time.GetElapsedTime(_progress);

    /// <summary>How many runs may be on it: one, unless its tasks are so quick that it would wait for the next one each time.</summary>
    public int Depth => _isStalled || _average >= Quick.TotalMicroseconds ? 1 : (int)Math.Clamp(WindowMicroseconds / Math.Max(_average, 1), 1, MostAhead);

    public void Add(DispatchedTask run)
    {
        if (Runs.Count == 0)
            _progress = time.GetTimestamp();
        Runs.AddLast(run);
        Lane = run.Attempt.Pipeline;
        run.AssignTo(session);
    }

    /// <summary>A run leaves it unstarted, or with it.</summary>
    public void RemoveUnfinished(DispatchedTask run)
    {
        Runs.Remove(run);
        if (Runs.Count == 0)
            Lane = null;
    }

    public void Remove(DispatchedTask run, TimeSpan took)
    {
        Runs.Remove(run);
        _progress = time.GetTimestamp();
        _isStalled = false;
        _average = took >= Quick ? took.TotalMicroseconds : (0.8 * Math.Min(_average, 4 * Quick.TotalMicroseconds)) + (0.2 * took.TotalMicroseconds);
        if (Runs.Count == 0)
            Lane = null;
    }

    /// <summary>Whether one run has held up others for a while, seen for the first time.</summary>
    public bool DetectStall()
    {
        if (_isStalled || Runs.Count < 2 || time.GetElapsedTime(_progress) < Stall)
            return false;
        _isStalled = true;
        return true;
    }
}
