using System.Collections.Concurrent;

namespace Serve.Runtime.Tasks;

/// <summary>
/// The threads that run tasks and actors of this process, apart from the .NET pool since user code may block them. What is started has a
/// thread at once; what is queued shares as many as there are processors, and gets more when none of it moves on. Its threads
/// are counted under <see cref="_sync"/>, the queue's counters with interlocked operations.
/// </summary>
internal sealed class TaskThreadPool : IThreadPoolWorkItem, IAsyncDisposable
{
    /// <summary>How long a thread waits for work before it ends.</summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(20);

    private const int Spins = 40;
    private static readonly TimeSpan StarvedAfter = TimeSpan.FromMilliseconds(5);
    private static readonly object Open = new();

    [ThreadStatic]
    private static TaskThreadPool? _draining;

    private readonly object _sync = new();
    private readonly Stack<TaskPoolThread> _idle = new();
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<IThreadPoolWorkItem> _queue = new();
    private readonly object _watchSync = new();
    private object? _offer;
    private int _count;
    private int _limit = Environment.ProcessorCount;
    private int _drainers;
    private int _requested;
    private long _progress;
    private bool _watching;
    private Thread? _watch;
    private volatile bool _disposed;

    /// <summary>How many threads there are, idle ones included.</summary>
    public int ThreadCount
    {
        get
        {
            lock (_sync)
                return _count;
        }
    }

    /// <summary>Runs work on a thread of its own, at once. The work must not throw.</summary>
    public void RunNow(IThreadPoolWorkItem item)
    {
        if (Interlocked.CompareExchange(ref _offer, item, Open) == Open)
            return;
        TaskPoolThread? thread;
        lock (_sync)
        {
            if (_disposed)
            {
                // What is left after the end is the rest of user code that was told to stop; it may as well end elsewhere.
                ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
                return;
            }

            if (_idle.TryPop(out thread))
            {
                thread.Assign(item);
                return;
            }

            thread = new(this);
            _count++;
        }

        try
        {
            thread.Start(item);
        }
        catch (Exception full) when (full is OutOfMemoryException or ThreadStartException)
        {
            // The system gives no more threads: it waits until one of those that there are is free.
            OnThreadExited();
            _queue.Enqueue(item);
            Watch();
        }
    }

    /// <summary>Runs work when one of the shared threads is free. The work must not throw.</summary>
    public void Enqueue(IThreadPoolWorkItem item)
    {
        if (_disposed)
        {
            ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
            return;
        }

        _queue.Enqueue(item);
        Interlocked.MemoryBarrier();
        Request();
    }

    /// <summary>Says that the calling thread is about to block, so that queued work is not held up by it.</summary>
    /// <returns>Whether it matters: then <see cref="ExitBlocking"/> has to follow.</returns>
    public bool EnterBlocking()
    {
        if (_draining != this)
            return false;
        Interlocked.Increment(ref _limit);
        if (!_queue.IsEmpty)
            Request();
        return true;
    }

    /// <summary>The calling thread goes on after <see cref="EnterBlocking"/>.</summary>
    public void ExitBlocking() => Interlocked.Decrement(ref _limit);

    /// <summary>Drains the queue on one thread; for <see cref="RunNow"/> alone.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        _draining = this;
        var clean = ExecutionContext.Capture();
        var first = true;
        do
        {
            while (!_disposed && _queue.TryDequeue(out var item))
            {
                Volatile.Write(ref _progress, _progress + 1);
                if (first)
                    Arrived(ref first);
                Run(item, clean);
            }

            if (first)
                Arrived(ref first);
            Interlocked.Decrement(ref _drainers);
        }
        while (!_disposed && !_queue.IsEmpty && TryEnter());
        _draining = null;
    }

    /// <summary>Ends the threads as they become idle. Those whose code does not end within the time are left behind; they do not keep the process alive.</summary>
    public async ValueTask DisposeAsync(TimeSpan patience)
    {
        lock (_sync)
        {
            _disposed = true;
            while (_idle.TryPop(out var thread))
                thread.Stop();
            if (_count == 0)
                _gone.TrySetResult();
        }

        lock (_watchSync)
            Monitor.Pulse(_watchSync);
        await Task.WhenAny(_gone.Task, Task.Delay(patience)).ConfigureAwait(false);
        while (_queue.TryDequeue(out var left))
            ThreadPool.UnsafeQueueUserWorkItem(left, preferLocal: false);
    }

    public ValueTask DisposeAsync() => DisposeAsync(TimeSpan.FromMilliseconds(500));

    /// <summary>Runs one piece of work and leaves the thread as it was.</summary>
    internal static void Run(IThreadPoolWorkItem item, ExecutionContext? clean)
    {
        try
        {
            item.Execute();
        }
        catch (Exception thrown)
        {
            // Only what nobody awaits arrives here, an async void's exception say: it goes where .NET tells of such. Ending the process would take all other tasks along.
            _ = Task.FromException(thrown);
        }

        if (clean is not null && !ReferenceEquals(ExecutionContext.Capture(), clean))
            ExecutionContext.Restore(clean);
        if (SynchronizationContext.Current is not null)
            SynchronizationContext.SetSynchronizationContext(null);
    }

    /// <summary>Looks for work a moment before the thread goes to sleep, since waking it costs more. One thread at a time.</summary>
    internal IThreadPoolWorkItem? SpinForWork()
    {
        if (Environment.ProcessorCount == 1 || _disposed || Interlocked.CompareExchange(ref _offer, Open, null) is not null)
            return null;
        for (var i = 0; i < Spins && ReferenceEquals(Volatile.Read(ref _offer), Open); i++)
            Thread.SpinWait(20);
        return Interlocked.Exchange(ref _offer, null) as IThreadPoolWorkItem;
    }

    /// <summary>Lays a thread down as idle; false when it is to end.</summary>
    internal bool TryPark(TaskPoolThread thread)
    {
        lock (_sync)
        {
            if (!_disposed)
                _idle.Push(thread);
            return !_disposed;
        }
    }

    /// <summary>Takes an idle thread away; false when it is getting work just now.</summary>
    internal bool TryUnpark(TaskPoolThread thread)
    {
        lock (_sync)
        {
            if (!_idle.Contains(thread))
                return false;
            var others = _idle.Where(other => other != thread).Reverse().ToArray();
            _idle.Clear();
            foreach (var other in others)
                _idle.Push(other);
            return true;
        }
    }

    internal void OnThreadExited()
    {
        lock (_sync)
        {
            _count--;
            if (_disposed && _count == 0)
                _gone.TrySetResult();
        }
    }

    // One thread on its way to the queue is enough: it asks for the next one when it finds more there than it can take.
    private void Request()
    {
        if (Volatile.Read(ref _requested) != 0)
            return;
        if (!TryEnter())
        {
            Watch();
            return;
        }

        Volatile.Write(ref _requested, 1);
        RunNow(this);
    }

    private void Arrived(ref bool first)
    {
        first = false;
        Volatile.Write(ref _requested, 0);
        Interlocked.MemoryBarrier();
        if (!_queue.IsEmpty)
            Request();
    }

    private bool TryEnter()
    {
        while (true)
        {
            var now = Volatile.Read(ref _drainers);
            if (now >= Volatile.Read(ref _limit))
                return false;
            if (Interlocked.CompareExchange(ref _drainers, now + 1, now) == now)
                return true;
        }
    }

    private void Watch()
    {
        if (Volatile.Read(ref _watching) || _disposed)
            return;
        lock (_watchSync)
        {
            if (_watching)
                return;
            _watching = true;
            if (_watch is not null)
            {
                Monitor.Pulse(_watchSync);
                return;
            }

            _watch = new Thread(WatchLoop) { IsBackground = true, Name = "serve core watch" };
        }

        _watch.UnsafeStart();
    }

    private void WatchLoop()
    {
        long seen = 0;
        while (!_disposed)
        {
            lock (_watchSync)
            {
                _watching = !_queue.IsEmpty;
                Interlocked.MemoryBarrier();

                // Whoever queued before it saw the flag go down does not tell: look once more.
                if (_watching || !_queue.IsEmpty)
                    Monitor.Wait(_watchSync, StarvedAfter);
                else
                    Monitor.Wait(_watchSync);
            }

            var now = Volatile.Read(ref _progress);
            if (now == seen && !_disposed)
                AddThreads();
            seen = now;
        }
    }

    // Twice as many each time that nothing moved: work that blocks gets its threads soon, work that computes does not get hundreds.
    private void AddThreads()
    {
        var more = Math.Min(_queue.Count, Math.Max(Volatile.Read(ref _drainers), 1));
        for (var i = 0; i < more; i++)
        {
            Interlocked.Increment(ref _drainers);
            RunNow(this);
        }
    }
}
