using Serve.Runtime.Tasks;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// Runs tasks in worker processes: each on a worker that runs nothing else, which is started if there is none; short tasks of one pipeline are sent ahead,
/// so that the worker never waits for a message. Writes the set of task workers and their attempts, under its lock; attempts are
/// notified outside of it.
/// </summary>
internal sealed class WorkerTaskExecutor : ITaskExecutor, IDispatchedTaskListener, IAsyncDisposable
{
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan TidyPeriod = TimeSpan.FromSeconds(10);

    private readonly Lock _sync = new();
    private readonly List<TaskWorkerState> _workers = [];
    private readonly LinkedList<DispatchedTask> _waiting = [];
    private readonly Dictionary<long, DispatchedTask> _runs = [];
    private readonly Func<WorkerPlacement, CancellationToken, Task<WorkerConnection>> _open;
    private readonly ITimer _watch;
    private readonly ITimer _tidy;
    private readonly TimeProvider _time;
    private readonly int _kept;
    private int _starting;
    private bool _isWatching;
    private bool _closed;

    /// <param name="open">Leases a worker of the node and connects to it.</param>
    /// <param name="cpus">CPUs of the node.</param>
    /// <param name="prestarted">Number of workers that are kept although they are idle.</param>
    /// <param name="time">Clock of idle times.</param>
    public WorkerTaskExecutor(Func<WorkerPlacement, CancellationToken, Task<WorkerConnection>> open, double cpus, int prestarted, TimeProvider time)
    {
        _open = open;
        _time = time;

        // The number of tasks without a CPU demand is unlimited, but not that of their workers.
        MaxWorkers = 8 + (4 * Math.Max(Environment.ProcessorCount, (int)Math.Ceiling(cpus)));
        _kept = prestarted;
        _watch = time.CreateTimer(_ => RecallStalledTasks(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _tidy = time.CreateTimer(_ => StopIdleWorkers(), null, TidyPeriod, TidyPeriod);
    }

    /// <summary>Maximum number of workers.</summary>
    public int MaxWorkers { get; init; }

    /// <summary>Number of workers that accept attempts or are being started.</summary>
    public int Count
    {
        get
        {
            lock (_sync)
                return _workers.Count(static worker => worker.AcceptsTasks) + _starting;
        }
    }

    public int DepthOf(object lane)
    {
        lock (_sync)
            return FindLane(lane)?.Depth ?? 1;
    }

    public void Start(ITaskAttempt attempt)
    {
        var run = new DispatchedTask(attempt, this);
        lock (_sync)
            _runs[run.Id] = run;
        Dispatch(run, first: false);
    }

    public void Kill(ITaskAttempt attempt)
    {
        DispatchedTask? run;
        lock (_sync)
            run = _runs.GetValueOrDefault(attempt.Id.Number);
        if (run is not null)
            Kill(run, new OperationCanceledException($"{attempt.Name} was canceled by force: its worker was killed."));
    }

    /// <summary>Starts workers before a task needs them.</summary>
    public void Prestart(int count)
    {
        for (var i = 0; i < count; i++)
        {
            lock (_sync)
                _starting++;
            _ = StartWorkerAsync();
        }
    }

    /// <summary>Stops the newest attempt to save memory, preferably one that may be retried.</summary>
    /// <param name="why">Creates its failure, if it has no retries left.</param>
    /// <returns>The stopped attempt; null if none runs.</returns>
    public DispatchedTask? StopNewest(Func<DispatchedTask, Exception> why)
    {
        DispatchedTask? newest;
        lock (_sync)
        {
            newest = _runs.Values
                .Where(static run => run.Session is { IsKilledByCluster: false } && run.KilledWith is null)
                .OrderByDescending(static run => run.Attempt.MayRetry).ThenByDescending(static run => run.Order).FirstOrDefault();
        }

        if (newest is not null)
            Kill(newest, why(newest));
        return newest;
    }

    public void OnEnded(DispatchedTask run, TimeSpan took) => RemoveFromWorker(run, took);

    public void OnReturned(DispatchedTask run)
    {
        RemoveFromWorker(run, took: null);
        run.Complete();
        if (run.Attempt.TryRequeue())
            return;
        lock (_sync)
            _runs[run.Id] = run;
        Dispatch(run, first: true);
    }

    public void OnLost(DispatchedTask run, string reason)
    {
        bool again;
        lock (_sync)
        {
            again = run.KilledWith is null && run.Session is { IsKilledByCluster: true } && !_closed;
            if (_workers.Find(worker => worker.Session == run.Session) is { } lost)
            {
                lost.IsEnding = true;
                lost.RemoveUnfinished(run);
            }

            if (!again)
                _runs.Remove(run.Id);
        }

        if (again)
            Dispatch(run, first: true);
        else
            run.Attempt.ReportFailure(run.KilledWith ?? new WorkerDiedException($"The worker that ran {run.Attempt.Name} died. {reason}"), isSystem: run.KilledWith is null or TaskOutOfMemoryException);
    }

    public void OnWaiting(DispatchedTask run) => DispatchWaiting(run.Session);

    public async ValueTask DisposeAsync()
    {
        DispatchedTask[] left;
        lock (_sync)
        {
            _closed = true;
            left = [.. _waiting];
            _waiting.Clear();
        }

        await _watch.DisposeAsync().ConfigureAwait(false);
        await _tidy.DisposeAsync().ConfigureAwait(false);
        foreach (var run in left)
            run.Attempt.ReportFailure(Cluster.CreateDisposedException(), isSystem: false);
    }

    /// <summary>Kills the worker of an attempt because of that attempt; the other attempts on it are dispatched again.</summary>
    private void Kill(DispatchedTask run, Exception failure)
    {
        WorkerConnection? session;
        lock (_sync)
        {
            run.KilledWith = failure;
            session = run.Session;
            if (session is not null)
                session.IsKilledByCluster = true;
            else if (!_waiting.Remove(run))
                return;
            else
                _runs.Remove(run.Id);
        }

        if (session is not null)
            session.Lease.Kill(failure.Message);
        else
            run.Attempt.ReportFailure(failure, isSystem: false);
    }

    private void Dispatch(DispatchedTask run, bool first)
    {
        TaskWorkerState? worker = null;
        var start = false;
        bool refused;
        lock (_sync)
        {
            refused = _closed;
            if (refused)
            {
                _runs.Remove(run.Id);
            }
            else if ((worker = FindLane(run.Attempt.Pipeline) ?? FindFreeWorker()) is not null)
            {
                worker.Add(run);
                if (worker.Runs.Count > 1 && !_isWatching)
                {
                    _isWatching = true;
                    _watch.Change(WatchPeriod, WatchPeriod);
                }
            }
            else
            {
                run.AssignTo(null);
                if (first)
                    _waiting.AddFirst(run);
                else
                    _waiting.AddLast(run);
                start = _starting < _waiting.Count && Count < MaxWorkers;
                if (start)
                    _starting++;
            }
        }

        if (worker is not null)
            Send(worker, run);
        else if (start)
            _ = StartWorkerAsync();
        else if (refused)
            run.Attempt.ReportFailure(Cluster.CreateDisposedException(), isSystem: false);
    }

    // Under the lock.
    private TaskWorkerState? FindLane(object? lane)
    {
        if (lane is null)
            return null;
        foreach (var worker in _workers)
        {
            if (worker.Lane == lane && worker.AcceptsTasks)
                return worker;
        }

        return null;
    }

    // Under the lock. Prefers a worker without any attempt.
    private TaskWorkerState? FindFreeWorker() => _workers.Find(static worker => worker.Runs.Count == 0 && worker.AcceptsTasks) ?? _workers.Find(static worker => worker.IsFree);

    private void Send(TaskWorkerState worker, DispatchedTask run)
    {
        ReportStarted(worker);
        worker.Session.Start(run);
    }

    /// <summary>Notifies the first attempt on a worker of its start.</summary>
    private void ReportStarted(TaskWorkerState worker)
    {
        DispatchedTask? first;
        lock (_sync)
        {
            first = worker.Runs.First?.Value;
            if (first is null or { IsStartReported: true })
                return;
            first.IsStartReported = true;
        }

        first.Attempt.ReportStarted(worker.Session.Lease.WorkerId);
    }

    private void RemoveFromWorker(DispatchedTask run, TimeSpan? took)
    {
        TaskWorkerState? worker;
        lock (_sync)
        {
            _runs.Remove(run.Id);
            worker = _workers.Find(candidate => candidate.Session == run.Session);
            if (took is { } time)
                worker?.Remove(run, time);
            else
                worker?.RemoveUnfinished(run);
        }

        if (worker is not null)
            ReportStarted(worker);
        DispatchWaiting(run.Session);
    }

    /// <summary>Dispatches the attempt that has waited longest to a worker that has become free.</summary>
    private void DispatchWaiting(WorkerConnection? session)
    {
        TaskWorkerState? worker;
        DispatchedTask? next = null;
        List<DispatchedTask>? cancelled = null;
        lock (_sync)
        {
            if (_waiting.Count == 0)
                return;
            worker = _workers.Find(candidate => candidate.Session == session);
            while (next is null && worker is { IsFree: true } && _waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                if (first.Value.Attempt.StopToken.IsCancellationRequested)
                {
                    _runs.Remove(first.Value.Id);
                    (cancelled ??= []).Add(first.Value);
                }
                else
                {
                    next = first.Value;
                    worker.Add(next);
                }
            }
        }

        foreach (var run in cancelled ?? [])
            run.Attempt.ReportFailure(DispatchedTask.CanceledBeforeStart(run.Attempt), isSystem: false);
        if (next is not null)
            Send(worker!, next);
    }

    /// <summary>Recalls the attempts behind one that blocks them, so that another worker can run them.</summary>
    private void RecallStalledTasks()
    {
        List<TaskWorkerState> stalled;
        lock (_sync)
        {
            stalled = _workers.FindAll(static worker => worker.DetectStall());
            if (!_workers.Exists(static worker => worker.Runs.Count > 1))
            {
                _isWatching = false;
                _watch.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (var worker in stalled)
            worker.Session.Recall();
    }

    /// <summary>Stops workers that have been idle for long.</summary>
    private void StopIdleWorkers()
    {
        List<TaskWorkerState> idle;
        lock (_sync)
        {
            _workers.RemoveAll(static worker => !worker.AcceptsTasks && worker.Runs.Count == 0);
            idle = _workers.Where(static worker => worker.AcceptsTasks && worker.IdleTime > IdleLife).Take(Math.Max(0, _workers.Count - _kept)).ToList();
            foreach (var worker in idle)
                worker.IsEnding = true;
        }

        foreach (var worker in idle)
        {
            worker.Session.Dispose();
            _ = worker.Session.Lease.DisposeAsync().AsTask();
        }
    }

    private async Task StartWorkerAsync()
    {
        ProtocolWarmUp.Begin();
        try
        {
            var session = await _open(new WorkerPlacement.Own("tasks"), CancellationToken.None).ConfigureAwait(false);
            lock (_sync)
            {
                _starting--;
                _workers.Add(new(session, _time));
            }

            DispatchWaiting(session);
        }
        catch (Exception thrown)
        {
            DispatchedTask[] failed;
            lock (_sync)
            {
                // All workers that would be started for the same tasks fail for the same reason.
                _starting--;
                failed = _workers.Exists(static worker => worker.AcceptsTasks) ? [] : [.. _waiting];
                if (failed.Length > 0)
                    _waiting.Clear();
                foreach (var run in failed)
                    _runs.Remove(run.Id);
            }

            foreach (var run in failed)
                run.Attempt.ReportFailure(new WorkerDiedException($"No worker could be started for {run.Attempt.Name}. {thrown.Message}", thrown), isSystem: false);
        }
    }
}
