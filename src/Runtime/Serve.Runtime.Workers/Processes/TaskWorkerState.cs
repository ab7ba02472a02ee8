using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Workers.Processes;

/// <summary>State of a worker process that runs tasks. Written by <see cref="WorkerTaskExecutor"/> under its lock.</summary>
internal sealed class TaskWorkerState(WorkerConnection session, TimeProvider time)
{
    /// <summary>Work to keep under way, as a duration: longer than a round trip.</summary>
    private const double WindowMicroseconds = 2000;

    private const int MostAhead = 256;
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Stall = TimeSpan.FromMilliseconds(5);

    private double _average = Quick.TotalMicroseconds;
    private long _progress = time.GetTimestamp();
    private bool _isStalled;

    public WorkerConnection Session => session;

    /// <summary>Dispatched attempts that have not ended, in order.</summary>
    public LinkedList<DispatchedTask> Runs { get; } = [];

    /// <summary>The pipeline whose resources its attempts use.</summary>
    public object? Lane { get; private set; }

    /// <summary>Whether it accepts no more attempts.</summary>
    public bool IsEnding { get; set; }

    public bool AcceptsTasks => !IsEnding && !session.IsBroken && !session.IsKilledByCluster;

    /// <summary>Whether no attempt runs on it, because all of them wait for objects.</summary>
    public bool IsFree => AcceptsTasks && Runs.All(static run => run.Waits > 0);

    /// <summary>How long it has been idle.</summary>
    public TimeSpan IdleTime => Runs.Count > 0 ? TimeSpan.Zero : time.GetElapsedTime(_progress);

    /// <summary>Number of attempts that may be dispatched to it: one, unless its tasks are so short that it would wait for the next one each time.</summary>
    public int Depth => _isStalled || _average >= Quick.TotalMicroseconds ? 1 : (int)Math.Clamp(WindowMicroseconds / Math.Max(_average, 1), 1, MostAhead);

    public void Add(DispatchedTask run)
    {
        if (Runs.Count == 0)
            _progress = time.GetTimestamp();
        Runs.AddLast(run);
        Lane = run.Attempt.Pipeline;
        run.AssignTo(session);
    }

    /// <summary>Removes an attempt that did not end: returned, or lost with the worker.</summary>
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

    /// <summary>Detects, once, that one attempt has been blocking others for a while.</summary>
    public bool DetectStall()
    {
        if (_isStalled || Runs.Count < 2 || time.GetElapsedTime(_progress) < Stall)
            return false;
        _isStalled = true;
        return true;
    }
}
