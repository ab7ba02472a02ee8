namespace Serve.Runtime.Parallel;

/// <summary>
/// Map from items in memory to an array: one task per CPU processes chunk after chunk until none is left. Completion depends on the items, not on the tasks: a
/// task that finds no free CPU before the others have finished is not needed.
/// </summary>
/// <remarks>
/// Runners claim chunks by an interlocked addition to _next and report them by one to _completed. Completion is decided under the lock: no runner is active, and all
/// items are completed or the map has stopped. A runner registers (_active) under the lock before it claims, and leaves after its last report; the last one to leave
/// therefore sees every report, because the lock orders it after them.
/// </remarks>
internal abstract class ParallelArrayMap<T, TResult>(ContiguousItems<T> source, MapOptions options, CancellationToken cancellationToken)
{
    protected static readonly TimeSpan ChunkTime = TimeSpan.FromMilliseconds(2);
    private readonly TResult[] _results = GC.AllocateUninitializedArray<TResult>(source.Count);
    private readonly Lock _sync = new();
    private int _next;
    private int _completed;
    private int _active;
    private int _unfinished;
    private int _failedAt = int.MaxValue;
    private Exception? _failure;
    private MapCompletionRef? _completion;

    /// <summary>Number of processed items.</summary>
    public int Completed => Volatile.Read(ref _completed);

    protected MapOptions Options => options;

    protected CancellationToken Token => cancellationToken;

    protected ReadOnlySpan<T> Items => source.Items;

    protected TResult[] Results => _results;

    private bool IsStopped => _failedAt != int.MaxValue || cancellationToken.IsCancellationRequested;

    public async Task<TResult[]> RunAsync(Cluster cluster)
    {
        cancellationToken.ThrowIfCancellationRequested();
        cluster.ThrowIfDisposed();
        if (source.Count == 0)
            return _results;
        _completion = new MapCompletionRef(cluster, this);
        using var progress = options.Progress ? ConsoleProgressBar.Start(options.Name, source.Count, () => Completed) : null;
        using var stop = cancellationToken.UnsafeRegister(static map => ((ParallelArrayMap<T, TResult>)map!).Settle(), this);
        Start(cluster);
        await cluster.Get(_completion, null, CancellationToken.None).ConfigureAwait(false);
        if (_failure is not null)
            throw MapItemFailure.Create(_failedAt, _failure);
        if (_completed < source.Count)
            throw new OperationCanceledException(cancellationToken);
        return _results;
    }

    /// <summary>Starts the tasks that run the map.</summary>
    protected abstract void Start(Cluster cluster);

    protected void StartRunners(Cluster cluster, int count, bool isAsync, Func<CancellationToken, ValueTask<object?>> run)
    {
        count = Math.Min(count, source.Count);
        _unfinished = count;
        foreach (var runner in LocalTaskStarter.Start(cluster, count, options.Name, isAsync, run))
        {
            if (!runner.TryAddContinuation(new MapRunnerContinuation(this, runner)))
                Ended(runner);
        }
    }

    /// <summary>Registers a runner; false if no chunks are left. It must call <see cref="Exit"/> when it takes no more chunks.</summary>
    protected bool TryEnter()
    {
        lock (_sync)
        {
            if (IsStopped || _next >= source.Count)
                return false;
            _active++;
            return true;
        }
    }

    protected void Exit()
    {
        lock (_sync)
            _active--;
        Settle();
    }

    /// <summary>Takes the next chunk. Items before a failed one are still processed, so that the first failure is the one reported.</summary>
    protected bool TryTakeChunk(int size, int width, out int start, out int count)
    {
        // Chunks shrink towards the end, so that no runner is left alone with a large one.
        if (size > 1 && options.ChunkSize is null)
            size = Math.Max(1, Math.Min(size, (source.Count - Volatile.Read(ref _next)) / (2 * width)));
        start = cancellationToken.IsCancellationRequested || Volatile.Read(ref _next) >= source.Count ? source.Count : Interlocked.Add(ref _next, size) - size;
        count = Math.Min(size, source.Count - start);
        return start >= 0 && count > 0 && start < Volatile.Read(ref _failedAt);
    }

    protected void ReportCompleted(int count) => Interlocked.Add(ref _completed, count);

    protected void ReportFailure(int index, Exception thrown)
    {
        lock (_sync)
        {
            if (index < _failedAt)
                (_failedAt, _failure) = (index, thrown);
        }
    }

    private void Settle()
    {
        lock (_sync)
        {
            if (_active > 0 || !(_completed >= source.Count || IsStopped))
                return;
        }

        _completion?.TrySetResult(null);
    }

    // The cluster was disposed or the runner was canceled: the map would otherwise never complete.
    private void Ended(ObjectRef<object?> runner)
    {
        if (Interlocked.Decrement(ref _unfinished) == 0 || runner.IsFaulted)
            _completion!.TrySetResult(null, runner.Error);
    }

    /// <summary>Reference that represents the map, so that a waiting task releases its CPU.</summary>
    private sealed class MapCompletionRef(Cluster cluster, ParallelArrayMap<T, TResult> map) : ObjectRef<object?>(cluster, default)
    {
        // The reference keeps the map alive.
        public ParallelArrayMap<T, TResult> Map => map;

        public void TrySetResult(object? value, Exception? failure)
        {
            if (failure is null)
                TrySetResult(value);
            else
                TrySetException(failure);
        }
    }

    private sealed class MapRunnerContinuation(ParallelArrayMap<T, TResult> map, ObjectRef<object?> runner) : ObjectRefContinuation
    {
        public override void Run() => map.Ended(runner);
    }
}
