using System.Collections.Concurrent;
using Serve.Runtime.Execution;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Threads that run the tasks and actors of this process, apart from the .NET thread pool, since user code may block them. <see cref="RunNow"/> uses a thread of its
/// own; queued work shares as many threads as there are processors, and gets more while none of it makes progress.
/// </summary>
/// <remarks>
/// Concurrency. A drainer is a thread that runs queued items; <c>_drainers</c> counts them and is at most <c>_limit</c>, unless the watch adds some. <c>_requested</c> is 1
/// from the request of a drainer until it arrives at the queue: one request at a time is enough, since an arriving drainer requests the next one if items remain.
/// Memory order: Enqueue publishes the item, then reads <c>_requested</c>; OnArrived clears <c>_requested</c>, issues a full barrier, then reads the queue. One of the two
/// therefore observes the other. The same holds for <c>_watching</c> between Watch and WatchLoop.
/// </remarks>
public sealed class TaskThreadPool : IThreadPoolWorkItem, IAsyncDisposable
{
    private static readonly TimeSpan StarvedAfter = TimeSpan.FromMilliseconds(5);

    [ThreadStatic]
    private static TaskThreadPool? _draining;

    private readonly DedicatedThreadPool _threads = new("tasks", spins: true);
    private readonly ConcurrentQueue<IThreadPoolWorkItem> _queue = new();
    private readonly object _watchSync = new();
    private int _limit = Environment.ProcessorCount;
    private int _drainers;
    private int _requested;
    private long _progress;
    private bool _watching;
    private Thread? _watch;
    private volatile bool _disposed;

    /// <summary>Number of threads, including idle ones.</summary>
    public int ThreadCount => _threads.ThreadCount;

    /// <summary>Runs a work item immediately on a thread of its own.</summary>
    public void RunNow(IThreadPoolWorkItem item) => _threads.Start(item);

    /// <summary>Runs a work item when one of the shared threads is free.</summary>
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

    /// <summary>Announces that the calling thread is about to block, so that another thread runs queued work.</summary>
    /// <returns>Whether the caller runs queued work; if so, it must call <see cref="ExitBlocking"/> afterwards.</returns>
    public bool EnterBlocking()
    {
        if (_draining != this)
            return false;
        Interlocked.Increment(ref _limit);
        if (!_queue.IsEmpty)
            Request();
        return true;
    }

    /// <summary>Ends <see cref="EnterBlocking"/>.</summary>
    public void ExitBlocking() => Interlocked.Decrement(ref _limit);

    /// <summary>Drains the queue; called by the thread pool.</summary>
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
                    OnArrived(ref first);
                DedicatedThreadPool.Run(item, clean);
            }

            if (first)
                OnArrived(ref first);
            Interlocked.Decrement(ref _drainers);
        }
        while (!_disposed && !_queue.IsEmpty && TryEnter());
        _draining = null;
    }

    /// <summary>Stops the threads as they become idle. Threads whose code does not return in time are abandoned; they do not keep the process alive.</summary>
    public async ValueTask DisposeAsync(TimeSpan timeout)
    {
        _disposed = true;
        lock (_watchSync)
            Monitor.Pulse(_watchSync);
        await _threads.DisposeAsync(timeout).ConfigureAwait(false);
        while (_queue.TryDequeue(out var left))
            ThreadPool.UnsafeQueueUserWorkItem(left, preferLocal: false);
    }

    public ValueTask DisposeAsync() => DisposeAsync(TimeSpan.FromMilliseconds(500));

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

    private void OnArrived(ref bool first)
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

                // An item that was queued before the flag was cleared did not signal.
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

    // Doubles the threads each time that there was no progress: blocking work soon gets its threads, computing work does not get hundreds.
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
