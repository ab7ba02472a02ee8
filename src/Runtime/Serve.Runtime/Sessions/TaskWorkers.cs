using Serve.Runtime.Tasks;

namespace Serve.Runtime.Sessions;

/// <summary>
/// Runs tasks in worker processes: each on a worker where nothing else runs, started when there is none; quick ones of one lane one behind the
/// other, so that none waits for a message. The one writer of the set of task workers and of what is on each, under its lock; attempts are
/// told outside of it.
/// </summary>
internal sealed class TaskWorkers : ITaskExecutor, IRunListener, IAsyncDisposable
{
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan TidyPeriod = TimeSpan.FromSeconds(10);

    private readonly Lock sync = new();
    private readonly List<TaskWorker> workers = [];
    private readonly LinkedList<SentRun> waiting = [];
    private readonly Dictionary<long, SentRun> runs = [];
    private readonly ClusterWorkers owner;
    private readonly ITimer watch;
    private readonly ITimer tidy;
    private readonly TimeProvider time;
    private readonly int kept;
    private int starting;
    private bool isWatching;
    private bool closed;

    public TaskWorkers(ClusterWorkers owner, double cpus, int prestarted, TimeProvider time)
    {
        this.owner = owner;
        this.time = time;

        // Tasks that ask for no CPU come without limit: their workers do not.
        Most = 8 + (4 * Math.Max(Environment.ProcessorCount, (int)Math.Ceiling(cpus)));
        kept = prestarted;
        watch = time.CreateTimer(_ => Watch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        tidy = time.CreateTimer(_ => Tidy(), null, TidyPeriod, TidyPeriod);
    }

    /// <summary>How many workers it has at most.</summary>
    public int Most { get; init; }

    /// <summary>Workers that take runs, and those that are being started.</summary>
    public int Count
    {
        get
        {
            lock (sync)
                return workers.Count(static worker => worker.TakesRuns) + starting;
        }
    }

    public int DepthOf(object lane)
    {
        lock (sync)
            return FindLane(lane)?.Depth ?? 1;
    }

    public void Start(ITaskAttempt attempt)
    {
        var run = new SentRun(attempt, this);
        lock (sync)
            runs[run.Id] = run;
        Place(run, first: false);
    }

    public void Kill(ITaskAttempt attempt)
    {
        SentRun? run;
        lock (sync)
            run = runs.GetValueOrDefault(attempt.Id.Number);
        if (run is not null)
            Kill(run, new OperationCanceledException($"{attempt.Name} was cancelled by force: its worker was killed."));
    }

    /// <summary>Starts workers before anything needs them.</summary>
    public void Prestart(int count)
    {
        for (var i = 0; i < count; i++)
        {
            lock (sync)
                starting++;
            _ = StartWorkerAsync();
        }
    }

    /// <summary>Stops the newest run to save memory: one that may be tried again where there is one.</summary>
    /// <param name="why">Told as what it fails with, when it may not.</param>
    /// <returns>What was stopped; null when nothing runs.</returns>
    public SentRun? StopNewest(Func<SentRun, Exception> why)
    {
        SentRun? newest;
        lock (sync)
        {
            newest = runs.Values
                .Where(static run => run.Session is { Killed: false } && run.KilledWith is null)
                .OrderByDescending(static run => run.Attempt.MayRetry).ThenByDescending(static run => run.Order).FirstOrDefault();
        }

        if (newest is not null)
            Kill(newest, why(newest));
        return newest;
    }

    public void OnEnded(SentRun run, TimeSpan took) => Leave(run, took);

    public void OnReturned(SentRun run)
    {
        Leave(run, took: null);
        run.End();
        if (run.Attempt.TryGiveBack())
            return;
        lock (sync)
            runs[run.Id] = run;
        Place(run, first: true);
    }

    public void OnLost(SentRun run, string reason)
    {
        bool again;
        lock (sync)
        {
            again = run.KilledWith is null && run.Session is { Killed: true } && !closed;
            if (workers.Find(worker => worker.Session == run.Session) is { } lost)
            {
                lost.IsEnding = true;
                lost.GiveUp(run);
            }

            if (!again)
                runs.Remove(run.Id);
        }

        if (again)
            Place(run, first: true);
        else
            run.Attempt.Failed(run.KilledWith ?? new WorkerDiedException($"The worker that ran {run.Attempt.Name} died. {reason}"), isSystem: run.KilledWith is null or TaskOutOfMemoryException);
    }

    public void OnWaiting(SentRun run) => Serve(run.Session);

    public async ValueTask DisposeAsync()
    {
        SentRun[] left;
        lock (sync)
        {
            closed = true;
            left = [.. waiting];
            waiting.Clear();
        }

        await watch.DisposeAsync().ConfigureAwait(false);
        await tidy.DisposeAsync().ConfigureAwait(false);
        foreach (var run in left)
            run.Attempt.Failed(Cluster.Disposed(), isSystem: false);
    }

    /// <summary>Kills the worker that a run is on because of that run; what else is there is run again.</summary>
    private void Kill(SentRun run, Exception failure)
    {
        HeadSession? session;
        lock (sync)
        {
            run.KilledWith = failure;
            session = run.Session;
            if (session is not null)
                session.Killed = true;
            else if (!waiting.Remove(run))
                return;
            else
                runs.Remove(run.Id);
        }

        if (session is not null)
            session.Worker.Process!.Kill(failure.Message);
        else
            run.Attempt.Failed(failure, isSystem: false);
    }

    private void Place(SentRun run, bool first)
    {
        TaskWorker? worker = null;
        var start = false;
        bool refused;
        lock (sync)
        {
            refused = closed;
            if (refused)
            {
                runs.Remove(run.Id);
            }
            else if ((worker = FindLane(run.Attempt.Lane) ?? Free()) is not null)
            {
                worker.Add(run);
                if (worker.Runs.Count > 1 && !isWatching)
                {
                    isWatching = true;
                    watch.Change(WatchPeriod, WatchPeriod);
                }
            }
            else
            {
                run.SentTo(null);
                if (first)
                    waiting.AddFirst(run);
                else
                    waiting.AddLast(run);
                start = starting < waiting.Count && Count < Most;
                if (start)
                    starting++;
            }
        }

        if (worker is not null)
            Send(worker, run);
        else if (start)
            _ = StartWorkerAsync();
        else if (refused)
            run.Attempt.Failed(Cluster.Disposed(), isSystem: false);
    }

    // Under the lock.
    private TaskWorker? FindLane(object? lane)
    {
        if (lane is null)
            return null;
        foreach (var worker in workers)
        {
            if (worker.Lane == lane && worker.TakesRuns)
                return worker;
        }

        return null;
    }

    // Under the lock. One on which nothing is at all comes first.
    private TaskWorker? Free() => workers.Find(static worker => worker.Runs.Count == 0 && worker.TakesRuns) ?? workers.Find(static worker => worker.IsFree);

    private void Send(TaskWorker worker, SentRun run)
    {
        Tell(worker);
        worker.Session.Start(run);
    }

    /// <summary>Tells the run that is first on a worker that it has started.</summary>
    private void Tell(TaskWorker worker)
    {
        SentRun? first;
        lock (sync)
        {
            first = worker.Runs.First?.Value;
            if (first is null or { IsTold: true })
                return;
            first.IsTold = true;
        }

        first.Attempt.Started(worker.Session.Worker.Id);
    }

    private void Leave(SentRun run, TimeSpan? took)
    {
        TaskWorker? worker;
        lock (sync)
        {
            runs.Remove(run.Id);
            worker = workers.Find(candidate => candidate.Session == run.Session);
            if (took is { } time)
                worker?.Remove(run, time);
            else
                worker?.GiveUp(run);
        }

        if (worker is not null)
            Tell(worker);
        Serve(run.Session);
    }

    /// <summary>Gives a worker that has become free what waits longest.</summary>
    private void Serve(HeadSession? session)
    {
        TaskWorker? worker;
        SentRun? next = null;
        List<SentRun>? cancelled = null;
        lock (sync)
        {
            if (waiting.Count == 0)
                return;
            worker = workers.Find(candidate => candidate.Session == session);
            while (next is null && worker is { IsFree: true } && waiting.First is { } first)
            {
                waiting.RemoveFirst();
                if (first.Value.Attempt.Stop.IsCancellationRequested)
                {
                    runs.Remove(first.Value.Id);
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
            run.Attempt.Failed(SentRun.CancelledEarly(run.Attempt), isSystem: false);
        if (next is not null)
            Send(worker!, next);
    }

    /// <summary>Looks for a run that holds up those behind it: they are called back, for another worker.</summary>
    private void Watch()
    {
        List<TaskWorker> stalled;
        lock (sync)
        {
            stalled = workers.FindAll(static worker => worker.SeeStall());
            if (!workers.Exists(static worker => worker.Runs.Count > 1))
            {
                isWatching = false;
                watch.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }

        foreach (var worker in stalled)
            worker.Session.Recall();
    }

    /// <summary>Ends workers that have had nothing to do for long.</summary>
    private void Tidy()
    {
        List<TaskWorker> idle;
        lock (sync)
        {
            workers.RemoveAll(static worker => !worker.TakesRuns && worker.Runs.Count == 0);
            idle = workers.Where(static worker => worker.TakesRuns && worker.Idle > IdleLife).Take(Math.Max(0, workers.Count - kept)).ToList();
            foreach (var worker in idle)
                worker.IsEnding = true;
        }

        foreach (var worker in idle)
        {
            worker.Session.Dispose();
            _ = worker.Session.Worker.ReleaseAsync();
        }
    }

    private async Task StartWorkerAsync()
    {
        SessionWarmUp.Begin();
        try
        {
            var session = await owner.OpenAsync(new WorkerPlacement.Own("tasks"), CancellationToken.None).ConfigureAwait(false);
            lock (sync)
            {
                starting--;
                workers.Add(new(session, time));
            }

            Serve(session);
        }
        catch (Exception thrown)
        {
            SentRun[] failed;
            lock (sync)
            {
                // Whatever is wrong with one is wrong with all that would be started for the same tasks.
                starting--;
                failed = workers.Exists(static worker => worker.TakesRuns) ? [] : [.. waiting];
                if (failed.Length > 0)
                    waiting.Clear();
                foreach (var run in failed)
                    runs.Remove(run.Id);
            }

            foreach (var run in failed)
                run.Attempt.Failed(new WorkerDiedException($"No worker could be started for {run.Attempt.Name}. {thrown.Message}", thrown), isSystem: false);
        }
    }
}
