using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Execution;

/// <summary>
/// Threads for code that may block: each work item runs immediately on a thread of its own, apart from the .NET thread pool, which blocking code would starve. The
/// thread that became idle last is reused first, since its data is still cached; an idle thread exits after a while. Thread-safe.
/// </summary>
/// <remarks>
/// Concurrency. A thread is always in exactly one of four states:
///
///   Running   executes an item
///   Spinning  waits for an offered item              at most one thread; _offer != null
///   Idle      waits for an assigned item             in _idle; waits on its own lock
///   Exited    no longer counted
///
/// _idle, _queue and _count are written under _sync, an assigned item under the lock of its thread. The thread's lock may be taken inside of _sync, never the other way round.
/// _offer is null (no thread spins), NoItem (a thread spins) or an item (handed over, not yet taken). It changes by compare-and-exchange from null to NoItem (by the
/// spinning thread), from NoItem to an item (by a caller of Start), and by exchange to null (by the spinning thread), so that an item is taken exactly once.
/// </remarks>
public sealed class DedicatedThreadPool : IAsyncDisposable
{
    /// <summary>Default maximum number of threads; below the limits of common operating systems.</summary>
    public const int DefaultLimit = 16_384;

    private const int SpinIterations = 40;
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(20);
    private static readonly object NoItem = new();
    private static readonly ConditionalWeakTable<DedicatedThreadPool, string> Pools = [];
    private static readonly Lazy<Meter> Meter = new(CreateMeter);

    private readonly object _sync = new();
    private readonly LinkedList<PoolThread> _idle = new();
    private readonly Queue<IThreadPoolWorkItem> _queue = new();
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeSpan _idleTimeout;
    private readonly string _name;
    private readonly int _limit;
    private readonly int _stackSize;
    private readonly bool _spins;
    private object? _offer;
    private int _count;
    private volatile bool _isDisposed;

    /// <summary>Creates a pool without threads.</summary>
    /// <param name="name">Name of the pool's threads, and label of its metrics.</param>
    /// <param name="limit">Maximum number of threads; further items are queued until a thread is free.</param>
    /// <param name="stackSize">Stack size of the threads in bytes; 0 for the default of the process.</param>
    /// <param name="spins">Whether a thread spins briefly before it becomes idle: it costs some CPU, and hands items over faster.</param>
    public DedicatedThreadPool(string name, int limit = DefaultLimit, int stackSize = 0, bool spins = false)
        : this(name, limit, stackSize, spins, IdleTimeout)
    {
    }

    internal DedicatedThreadPool(string name, int limit, int stackSize, bool spins, TimeSpan idleTimeout)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        (_name, _limit, _stackSize, _idleTimeout) = (name, limit, stackSize, idleTimeout);
        _spins = spins && Environment.ProcessorCount > 1;
        Pools.Add(this, name);
    }

    /// <summary>Gets the pool of this process for blocking user code and native inference. It is never disposed.</summary>
    public static DedicatedThreadPool Blocking { get; } = new("blocking");

    /// <summary>Gets the number of threads, including idle ones.</summary>
    public int ThreadCount => Volatile.Read(ref _count);

    /// <summary>Gets the number of items that wait for a free thread because the limit is reached.</summary>
    public int QueuedCount
    {
        get
        {
            lock (_sync)
                return _queue.Count;
        }
    }

    /// <summary>Runs a work item on a thread of its own. An exception of the item is reported as unobserved; the thread continues.</summary>
    /// <param name="item">The work. After the pool has been disposed, it runs on the .NET thread pool.</param>
    public void Start(IThreadPoolWorkItem item)
    {
        if (_spins && Interlocked.CompareExchange(ref _offer, item, NoItem) == NoItem)
            return;
        PoolThread? idle = null;
        lock (_sync)
        {
            if (_isDisposed)
            {
                // The remains of canceled user code.
                ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
                return;
            }

            if (_idle.Last is { } last)
            {
                _idle.RemoveLast();
                idle = last.Value;
            }
            else if (_count >= _limit)
            {
                _queue.Enqueue(item);
                return;
            }
            else
            {
                _count++;
            }
        }

        if (idle is not null)
        {
            idle.Assign(item);
            return;
        }

        var thread = new PoolThread(this);
        try
        {
            thread.Start(item, _name, _stackSize);
        }
        catch (Exception exhausted) when (exhausted is OutOfMemoryException or ThreadStartException)
        {
            OnThreadNotStarted(item);
        }
    }

    /// <summary>Stops idle threads, and the others as they finish; returns after at most half a second.</summary>
    public ValueTask DisposeAsync() => DisposeAsync(TimeSpan.FromMilliseconds(500));

    /// <summary>Stops idle threads, and the others as they finish. Threads whose code does not return in time are abandoned; they do not keep the process alive.</summary>
    /// <param name="timeout">Maximum wait.</param>
    public async ValueTask DisposeAsync(TimeSpan timeout)
    {
        lock (_sync)
        {
            _isDisposed = true;
            foreach (var thread in _idle)
                thread.Stop();
            _idle.Clear();
            while (_queue.TryDequeue(out var item))
                ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
            if (_count == 0)
                _exited.TrySetResult();
        }

        await Task.WhenAny(_exited.Task, Task.Delay(timeout)).ConfigureAwait(false);
    }

    /// <summary>Runs an item, and then restores the contexts of the thread.</summary>
    /// <param name="item">The item.</param>
    /// <param name="clean">Execution context of the thread before the item.</param>
    internal static void Run(IThreadPoolWorkItem item, ExecutionContext? clean)
    {
        try
        {
            item.Execute();
        }
        catch (Exception thrown)
        {
            // Raises TaskScheduler.UnobservedTaskException. Terminating the process, the default for threads, would fail all other work.
            _ = Task.FromException(thrown);
        }

        if (clean is not null && !ReferenceEquals(ExecutionContext.Capture(), clean))
            ExecutionContext.Restore(clean);
        if (SynchronizationContext.Current is not null)
            SynchronizationContext.SetSynchronizationContext(null);
    }

    /// <summary>Creates the instruments of all pools; only the first call has an effect. Called by processes that host actors: a meter takes too long to load for every start.</summary>
    public static void CreateInstruments() => _ = Meter.Value;

    private static Meter CreateMeter()
    {
        var meter = new Meter("Serve.Runtime");
        meter.CreateObservableGauge("dedicated_threads", () => Measure(static pool => pool.ThreadCount), description: "Threads of dedicated thread pools, including idle ones.");
        meter.CreateObservableGauge("dedicated_threads_queued", () => Measure(static pool => pool.QueuedCount), description: "Work items that wait for a thread of a dedicated thread pool.");
        return meter;
    }

    // A process may have several pools of one name, one for each cluster.
    private static IEnumerable<Measurement<int>> Measure(Func<DedicatedThreadPool, int> value) =>
        Pools.GroupBy(static pair => pair.Value, static pair => pair.Key)
            .Select(pools => new Measurement<int>(pools.Sum(value), new KeyValuePair<string, object?>("pool", pools.Key)));

    private void OnThreadNotStarted(IThreadPoolWorkItem item)
    {
        lock (_sync)
        {
            _count--;
            if (_count > 0)
            {
                // The system has no more threads: the item waits until one of the existing threads is free.
                _queue.Enqueue(item);
                return;
            }

            if (_isDisposed)
                _exited.TrySetResult();
        }

        ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
    }

    // Waking a thread costs more than a short spin.
    private IThreadPoolWorkItem? SpinForItem()
    {
        if (!_spins || _isDisposed || Interlocked.CompareExchange(ref _offer, NoItem, null) is not null)
            return null;
        for (var i = 0; i < SpinIterations && ReferenceEquals(Volatile.Read(ref _offer), NoItem); i++)
            Thread.SpinWait(20);
        return Interlocked.Exchange(ref _offer, null) as IThreadPoolWorkItem;
    }

    /// <summary>Finds the next item of a thread, or makes the thread idle.</summary>
    /// <returns>False if the thread must exit.</returns>
    private bool TryNext(PoolThread thread, out IThreadPoolWorkItem? item)
    {
        lock (_sync)
        {
            if (_queue.TryDequeue(out item))
                return true;
            if (_isDisposed)
            {
                OnExited();
                return false;
            }

            _idle.AddLast(thread.Node);
            return true;
        }
    }

    /// <summary>Removes a thread that has been idle for too long; false if an item is being assigned to it.</summary>
    private bool TryExit(PoolThread thread)
    {
        lock (_sync)
        {
            if (thread.Node.List is null)
                return false;
            _idle.Remove(thread.Node);
            OnExited();
            return true;
        }
    }

    private void OnStopped()
    {
        lock (_sync)
            OnExited();
    }

    // Under _sync.
    private void OnExited()
    {
        _count--;
        if (_isDisposed && _count == 0)
            _exited.TrySetResult();
    }

    private sealed class PoolThread
    {
        private readonly DedicatedThreadPool _pool;
        private IThreadPoolWorkItem? _item;
        private bool _isStopped;

        public PoolThread(DedicatedThreadPool pool)
        {
            _pool = pool;
            Node = new(this);
        }

        /// <summary>Position in the list of idle threads.</summary>
        public LinkedListNode<PoolThread> Node { get; }

        public void Start(IThreadPoolWorkItem first, string name, int stackSize)
        {
            _item = first;

            // Unsafe: the thread must not keep the execution context of the code that happened to start it.
            new Thread(RunItems, stackSize) { IsBackground = true, Name = "serve " + name }.UnsafeStart();
        }

        public void Assign(IThreadPoolWorkItem item)
        {
            lock (Node)
            {
                _item = item;
                Monitor.Pulse(Node);
            }
        }

        public void Stop()
        {
            lock (Node)
            {
                _isStopped = true;
                Monitor.Pulse(Node);
            }
        }

        private void RunItems()
        {
            var clean = ExecutionContext.Capture();
            while (RunNext(clean))
            {
            }
        }

        // A frame of its own: an idle thread must not keep the last item, and with it user code that is to be unloaded, alive on its stack.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private bool RunNext(ExecutionContext? clean)
        {
            if (Take() is not { } item)
                return false;
            Run(item, clean);
            return true;
        }

        private IThreadPoolWorkItem? Take()
        {
            if (Interlocked.Exchange(ref _item, null) is { } first)
                return first;
            if (_pool.SpinForItem() is { } offered)
                return offered;
            if (!_pool.TryNext(this, out var queued) || queued is not null)
                return queued;
            while (true)
            {
                lock (Node)
                {
                    if (_item is null && !_isStopped)
                        Monitor.Wait(Node, _pool._idleTimeout);
                    if (_item is { } assigned)
                    {
                        _item = null;
                        return assigned;
                    }

                    if (_isStopped)
                        break;
                }

                if (_pool.TryExit(this))
                    return null;
            }

            _pool.OnStopped();
            return null;
        }
    }
}
