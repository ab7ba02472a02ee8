namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// The threads of this process on which models run: a blocking run must keep neither the thread pool's nor a replica's turns. As many as runs are under way,
/// which <see cref="RunGate"/> bounds; one that has had nothing to do for a while ends. The one writer of who is idle.
/// </summary>
internal sealed class RunThreads(TimeSpan idleLimit)
{
    private readonly object guard = new();
    private readonly LinkedList<Worker> idle = [];
    private readonly TimeSpan limit = idleLimit;
    private int count;

    public static RunThreads Shared { get; } = new(TimeSpan.FromSeconds(30));

    public int Count => Volatile.Read(ref count);

    /// <summary>Does a run that has its place, and those that get the place after it.</summary>
    public void Start(QueuedRun run)
    {
        lock (guard)
        {
            if (idle.Last is { } last)
            {
                idle.RemoveLast();
                last.Value.Give(run);
                return;
            }

            count++;
        }

        new Worker(this, run).Begin();
    }

    /// <summary>One thread. The one that ran last is taken first: what it used is still in the caches.</summary>
    private sealed class Worker(RunThreads owner, QueuedRun first)
    {
        private readonly object given = new();
        private QueuedRun? run = first;

        public void Begin() => new Thread(Work) { IsBackground = true, Name = "ONNX run" }.UnsafeStart();

        public void Give(QueuedRun next)
        {
            lock (given)
            {
                run = next;
                Monitor.Pulse(given);
            }
        }

        private void Work()
        {
            while (Next() is { } current)
            {
                for (QueuedRun? each = current; each is not null;)
                    each = each.Execute();
                lock (owner.guard)
                    owner.idle.AddLast(this);
            }
        }

        private QueuedRun? Next()
        {
            if (Take(owner.limit) is { } next)
                return next;
            lock (owner.guard)
            {
                if (owner.idle.Remove(this))
                {
                    owner.count--;
                    return null;
                }
            }

            // It was taken meanwhile, so that there is something for it.
            return Take(Timeout.InfiniteTimeSpan);
        }

        private QueuedRun? Take(TimeSpan limit)
        {
            lock (given)
            {
                if (run is null)
                    Monitor.Wait(given, limit);
                var taken = run;
                run = null;
                return taken;
            }
        }
    }
}
