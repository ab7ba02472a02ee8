namespace Serve.Runtime.Onnx.Runs;

/// <summary>
/// The threads of this process on which models run: a blocking run must keep neither the thread pool's nor a replica's turns. As many as runs are under way,
/// which <see cref="SessionRunLimiter"/> bounds; one that has had nothing to do for a while ends. The one writer of who is idle.
/// </summary>
internal sealed class RunThreads(TimeSpan idleLimit)
{
    private readonly object _guard = new();
    private readonly LinkedList<Worker> _idle = [];
    private readonly TimeSpan _limit = idleLimit;
    private int _count;

    public static RunThreads Shared { get; } = new(TimeSpan.FromSeconds(30));

    public int Count => Volatile.Read(ref _count);

    /// <summary>Does a run that has its place, and those that get the place after it.</summary>
    public void Start(QueuedSessionRun run)
    {
        lock (_guard)
        {
            if (_idle.Last is { } last)
            {
                _idle.RemoveLast();
                last.Value.Give(run);
                return;
            }

            _count++;
        }

        new Worker(this, run).Begin();
    }

    /// <summary>One thread. The one that ran last is taken first: what it used is still in the caches.</summary>
    private sealed class Worker(RunThreads owner, QueuedSessionRun first)
    {
        private readonly object _given = new();
        private QueuedSessionRun? _run = first;

        public void Begin() => new Thread(Work) { IsBackground = true, Name = "ONNX run" }.UnsafeStart();

        public void Give(QueuedSessionRun next)
        {
            lock (_given)
            {
                _run = next;
                Monitor.Pulse(_given);
            }
        }

        private void Work()
        {
            while (Next() is { } current)
            {
                for (QueuedSessionRun? each = current; each is not null;)
                    each = each.Execute();
                lock (owner._guard)
                    owner._idle.AddLast(this);
            }
        }

        private QueuedSessionRun? Next()
        {
            if (Take(owner._limit) is { } next)
                return next;
            lock (owner._guard)
            {
                if (owner._idle.Remove(this))
                {
                    owner._count--;
                    return null;
                }
            }

            // It was taken meanwhile, so that there is something for it.
            return Take(Timeout.InfiniteTimeSpan);
        }

        private QueuedSessionRun? Take(TimeSpan limit)
        {
            lock (_given)
            {
                if (_run is null)
                    Monitor.Wait(_given, limit);
                var taken = _run;
                _run = null;
                return taken;
            }
        }
    }
}
