using System.Collections.Concurrent;

namespace Serve.Runtime.Tasks;

/// <summary>
/// The threads that run tasks and actors of this process, apart from the .NET pool since user code may block them. What is started has a
/// thread at once; what is queued shares as many as there are processors, and gets more when none of it moves on. Its threads
/// are counted under <see cref="sync"/>, the queue's counters with interlocked operations.
/// </summary>
internal sealed class CoreThreads : IThreadPoolWorkItem, IAsyncDisposable
{
    /// <summary>How long a thread waits for work before it ends.</summary>
    public static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(20);

    private const int Spins = 40;
    private static readonly TimeSpan StarvedAfter = TimeSpan.FromMilliseconds(5);
    private static readonly object Open = new();

    [ThreadStatic]
    private static CoreThreads? draining;

    private readonly object sync = new();
    private readonly Stack<CoreThread> idle = new();
    private readonly TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<IThreadPoolWorkItem> queue = new();
    private readonly object watchSync = new();
    private object? offer;
    private int count;
    private int limit = Environment.ProcessorCount;
    private int drainers;
    private int requested;
    private long progress;
    private bool watching;
    private Thread? watch;
    private volatile bool disposed;

    /// <summary>How many threads there are, idle ones included.</summary>
    public int Count
    {
        get
        {
            lock (sync)
                return count;
        }
    }

    /// <summary>Runs work on a thread of its own, at once. The work must not throw.</summary>
    public void Start(IThreadPoolWorkItem item)
    {
        if (Interlocked.CompareExchange(ref offer, item, Open) == Open)
            return;
        CoreThread? thread;
        lock (sync)
        {
            if (disposed)
            {
                // What is left after the end is the rest of user code that was told to stop; it may as well end elsewhere.
                ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
                return;
            }

            if (idle.TryPop(out thread))
            {
                thread.Give(item);
                return;
            }

            thread = new(this);
            count++;
        }

        try
        {
            thread.Start(item);
        }
        catch (Exception full) when (full is OutOfMemoryException or ThreadStartException)
        {
            // The system gives no more threads: it waits until one of those that there are is free.
            OnEnded();
            queue.Enqueue(item);
            Watch();
        }
    }

    /// <summary>Runs work when one of the shared threads is free. The work must not throw.</summary>
    public void Queue(IThreadPoolWorkItem item)
    {
        if (disposed)
        {
            ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
            return;
        }

        queue.Enqueue(item);
        Interlocked.MemoryBarrier();
        Request();
    }

    /// <summary>Says that the calling thread is about to block, so that queued work is not held up by it.</summary>
    /// <returns>Whether it matters: then <see cref="ExitBlocking"/> has to follow.</returns>
    public bool EnterBlocking()
    {
        if (draining != this)
            return false;
        Interlocked.Increment(ref limit);
        if (!queue.IsEmpty)
            Request();
        return true;
    }

    /// <summary>The calling thread goes on after <see cref="EnterBlocking"/>.</summary>
    public void ExitBlocking() => Interlocked.Decrement(ref limit);

    /// <summary>Drains the queue on one thread; for <see cref="Start"/> alone.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        draining = this;
        var clean = ExecutionContext.Capture();
        var first = true;
        do
        {
            while (!disposed && queue.TryDequeue(out var item))
            {
                Volatile.Write(ref progress, progress + 1);
                if (first)
                    Arrived(ref first);
                Run(item, clean);
            }

            if (first)
                Arrived(ref first);
            Interlocked.Decrement(ref drainers);
        }
        while (!disposed && !queue.IsEmpty && TryEnter());
        draining = null;
    }

    /// <summary>Ends the threads as they become idle. Those whose code does not end within the time are left behind; they do not keep the process alive.</summary>
    public async ValueTask DisposeAsync(TimeSpan patience)
    {
        lock (sync)
        {
            disposed = true;
            while (idle.TryPop(out var thread))
                thread.End();
            if (count == 0)
                gone.TrySetResult();
        }

        lock (watchSync)
            Monitor.Pulse(watchSync);
        await Task.WhenAny(gone.Task, Task.Delay(patience)).ConfigureAwait(false);
        while (queue.TryDequeue(out var left))
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
    internal IThreadPoolWorkItem? Spin()
    {
        if (Environment.ProcessorCount == 1 || disposed || Interlocked.CompareExchange(ref offer, Open, null) is not null)
            return null;
        for (var i = 0; i < Spins && ReferenceEquals(Volatile.Read(ref offer), Open); i++)
            Thread.SpinWait(20);
        return Interlocked.Exchange(ref offer, null) as IThreadPoolWorkItem;
    }

    /// <summary>Lays a thread down as idle; false when it is to end.</summary>
    internal bool TryPark(CoreThread thread)
    {
        lock (sync)
        {
            if (!disposed)
                idle.Push(thread);
            return !disposed;
        }
    }

    /// <summary>Takes an idle thread away; false when it is getting work just now.</summary>
    internal bool TryUnpark(CoreThread thread)
    {
        lock (sync)
        {
            if (!idle.Contains(thread))
                return false;
            var others = idle.Where(other => other != thread).Reverse().ToArray();
            idle.Clear();
            foreach (var other in others)
                idle.Push(other);
            return true;
        }
    }

    internal void OnEnded()
    {
        lock (sync)
        {
            count--;
            if (disposed && count == 0)
                gone.TrySetResult();
        }
    }

    // One thread on its way to the queue is enough: it asks for the next one when it finds more there than it can take.
    private void Request()
    {
        if (Volatile.Read(ref requested) != 0)
            return;
        if (!TryEnter())
        {
            Watch();
            return;
        }

        Volatile.Write(ref requested, 1);
        Start(this);
    }

    private void Arrived(ref bool first)
    {
        first = false;
        Volatile.Write(ref requested, 0);
        Interlocked.MemoryBarrier();
        if (!queue.IsEmpty)
            Request();
    }

    private bool TryEnter()
    {
        while (true)
        {
            var now = Volatile.Read(ref drainers);
            if (now >= Volatile.Read(ref limit))
                return false;
            if (Interlocked.CompareExchange(ref drainers, now + 1, now) == now)
                return true;
        }
    }

    private void Watch()
    {
        if (Volatile.Read(ref watching) || disposed)
            return;
        lock (watchSync)
        {
            if (watching)
                return;
            watching = true;
            if (watch is not null)
            {
                Monitor.Pulse(watchSync);
                return;
            }

            watch = new Thread(WatchLoop) { IsBackground = true, Name = "serve core watch" };
        }

        watch.UnsafeStart();
    }

    private void WatchLoop()
    {
        long seen = 0;
        while (!disposed)
        {
            lock (watchSync)
            {
                watching = !queue.IsEmpty;
                Interlocked.MemoryBarrier();

                // Whoever queued before it saw the flag go down does not tell: look once more.
                if (watching || !queue.IsEmpty)
                    Monitor.Wait(watchSync, StarvedAfter);
                else
                    Monitor.Wait(watchSync);
            }

            var now = Volatile.Read(ref progress);
            if (now == seen && !disposed)
                AddThreads();
            seen = now;
        }
    }

    // Twice as many each time that nothing moved: work that blocks gets its threads soon, work that computes does not get hundreds.
    private void AddThreads()
    {
        var more = Math.Min(queue.Count, Math.Max(Volatile.Read(ref drainers), 1));
        for (var i = 0; i < more; i++)
        {
            Interlocked.Increment(ref drainers);
            Start(this);
        }
    }
}
