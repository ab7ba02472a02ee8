using Serve.Runtime.Tasks;

namespace Serve.Runtime.Sessions;

/// <summary>
/// Runs tasks in worker processes: each on a worker where nothing else runs, started when there is none. The one writer of the set of task
/// workers and of what is on each, under its lock; attempts are told outside of it.
/// </summary>
internal sealed class TaskWorkers : ITaskExecutor, IRunListener, IAsyncDisposable
{
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(60);
    private readonly Lock sync = new();
    private readonly List<TaskWorker> workers = [];
    private readonly LinkedList<SentRun> waiting = [];
    private readonly Dictionary<long, SentRun> runs = [];
    private readonly ClusterWorkers owner;
    private readonly int most;
    private int starting;
    private bool closed;

    public TaskWorkers(ClusterWorkers owner, double cpus)
    {
        this.owner = owner;

        // Tasks that ask for no CPU come without limit: their workers do not.
        most = 8 + (4 * Math.Max(Environment.ProcessorCount, (int)Math.Ceiling(cpus)));
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

    public void OnEnded(SentRun run, TimeSpan took) => Leave(run);

    public void OnReturned(SentRun run)
    {
        Leave(run);
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
                lost.Runs.Remove(run);
                if (lost.Runs.Count == 0)
                    workers.Remove(lost);
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

    public ValueTask DisposeAsync()
    {
        SentRun[] left;
        lock (sync)
        {
            closed = true;
            left = [.. waiting];
            waiting.Clear();
        }

        foreach (var run in left)
            run.Attempt.Failed(new ObjectDisposedException(nameof(Cluster), "The cluster was disposed."), isSystem: false);
        return ValueTask.CompletedTask;
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
            else
                waiting.Remove(run);
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
        lock (sync)
        {
            if (!closed && (worker = Free()) is not null)
            {
                worker.Runs.AddLast(run);
                run.SentTo(worker.Session);
            }
            else if (!closed)
            {
                run.SentTo(null);
                if (first)
                    waiting.AddFirst(run);
                else
                    waiting.AddLast(run);
                start = starting < waiting.Count && workers.Count + starting < most;
                if (start)
                    starting++;
            }
            else
            {
                runs.Remove(run.Id);
            }
        }

        if (worker is not null)
            Send(worker, run);
        else if (start)
            _ = StartWorkerAsync();
        else if (closed)
            run.Attempt.Failed(new ObjectDisposedException(nameof(Cluster), "The cluster was disposed."), isSystem: false);
    }

    // Under the lock. One on which nothing is at all comes first.
    private TaskWorker? Free() => workers.Find(static worker => worker.Runs.Count == 0 && !worker.IsEnding) ?? workers.Find(static worker => worker.IsFree);

    private static void Send(TaskWorker worker, SentRun run)
    {
        run.Attempt.Started(worker.Session.Worker.Id);
        worker.Session.Start(run);
    }

    private void Leave(SentRun run)
    {
        lock (sync)
        {
            runs.Remove(run.Id);
            workers.Find(worker => worker.Session == run.Session)?.Runs.Remove(run);
        }

        Serve(run.Session);
    }

    /// <summary>Gives a worker that has become free what waits longest.</summary>
    private void Serve(HeadSession? session)
    {
        TaskWorker? worker;
        SentRun? next = null;
        lock (sync)
        {
            worker = workers.Find(candidate => candidate.Session == session);
            if (worker is { IsFree: true } && waiting.First is { } first)
            {
                next = first.Value;
                waiting.RemoveFirst();
                worker.Runs.AddLast(next);
                next.SentTo(worker.Session);
            }
        }

        if (next is not null)
            Send(worker!, next);
    }

    private async Task StartWorkerAsync()
    {
        try
        {
            var session = await owner.OpenAsync(new WorkerPlacement.Own("tasks"), CancellationToken.None).ConfigureAwait(false);
            lock (sync)
            {
                starting--;
                workers.Add(new(session));
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
                failed = workers.Count > 0 ? [] : [.. waiting];
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
