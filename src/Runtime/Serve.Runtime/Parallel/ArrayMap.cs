namespace Serve.Runtime.Parallel;

/// <summary>
/// One map from items in memory to an array: a task on each CPU takes chunk after chunk until none is left. Who wants to know waits for
/// the items, not for the tasks: one that finds no free CPU before the others are through is not missed.
/// </summary>
internal abstract class ArrayMap<T, TResult>(ItemSource<T> source, MapOptions options, CancellationToken cancellationToken)
{
    protected static readonly TimeSpan ChunkTime = TimeSpan.FromMilliseconds(2);
    private readonly TResult[] results = GC.AllocateUninitializedArray<TResult>(source.Count);
    private readonly Lock sync = new();
    private int next;
    private int completed;
    private int active;
    private int unfinished;
    private int failedAt = int.MaxValue;
    private Exception? failure;
    private CompletionRef? completion;

    /// <summary>How many items were worked on.</summary>
    public int Completed => Volatile.Read(ref completed);

    protected MapOptions Options => options;

    protected CancellationToken Token => cancellationToken;

    protected ReadOnlySpan<T> Items => source.Items;

    protected TResult[] Results => results;

    private bool IsStopped => failedAt != int.MaxValue || cancellationToken.IsCancellationRequested;

    public async Task<TResult[]> RunAsync(Cluster cluster)
    {
        cancellationToken.ThrowIfCancellationRequested();
        cluster.ThrowIfDisposed();
        if (source.Count == 0)
            return results;
        completion = new CompletionRef(cluster, this);
        using var progress = options.Progress ? ProgressBar.Start(options.Name, source.Count, () => Completed) : null;
        using var stop = cancellationToken.UnsafeRegister(static map => ((ArrayMap<T, TResult>)map!).Settle(), this);
        Start(cluster);
        await cluster.Get(completion, null, CancellationToken.None).ConfigureAwait(false);
        if (failure is not null)
            throw MapFailure.Of(failedAt, failure);
        if (completed < source.Count)
            throw new OperationCanceledException(cancellationToken);
        return results;
    }

    /// <summary>Starts the tasks that run this.</summary>
    protected abstract void Start(Cluster cluster);

    protected void StartRunners(Cluster cluster, int count, bool isAsync, Func<CancellationToken, ValueTask<object?>> run)
    {
        count = Math.Min(count, source.Count);
        unfinished = count;
        foreach (var runner in LocalTasks.Start(cluster, count, options.Name, isAsync, run))
        {
            if (!runner.TryOnReady(new RunnerEnd(this, runner)))
                Ended(runner);
        }
    }

    /// <summary>Whether the caller may take chunks; it says <see cref="Leave"/> when it takes no more.</summary>
    protected bool TryEnter()
    {
        lock (sync)
        {
            if (IsStopped || next >= source.Count)
                return false;
            active++;
            return true;
        }
    }

    protected void Leave()
    {
        lock (sync)
            active--;
        Settle();
    }

    /// <summary>Takes the next chunk. What lies before an item that has failed is still worked on, so that the first failure is the one reported.</summary>
    protected bool TryTake(int size, int width, out int start, out int count)
    {
        // Towards the end chunks shrink, so that no runner is left alone with a large one.
        if (size > 1 && options.ChunkSize is null)
            size = Math.Max(1, Math.Min(size, (source.Count - Volatile.Read(ref next)) / (2 * width)));
        start = cancellationToken.IsCancellationRequested || Volatile.Read(ref next) >= source.Count ? source.Count : Interlocked.Add(ref next, size) - size;
        count = Math.Min(size, source.Count - start);
        return start >= 0 && count > 0 && start < Volatile.Read(ref failedAt);
    }

    protected void Ran(int count) => Interlocked.Add(ref completed, count);

    protected void Failed(int index, Exception thrown)
    {
        lock (sync)
        {
            if (index < failedAt)
                (failedAt, failure) = (index, thrown);
        }
    }

    private void Settle()
    {
        lock (sync)
        {
            if (active > 0 || !(completed >= source.Count || IsStopped))
                return;
        }

        completion?.TrySetResult(null);
    }

    // The cluster was disposed under it, or the runner was cancelled: without this nobody would go on.
    private void Ended(ObjectRef<object?> runner)
    {
        if (Interlocked.Decrement(ref unfinished) == 0 || runner.IsFaulted)
            completion!.TrySetResult(null, runner.Error);
    }

    /// <summary>The map as a ref, so that a task that waits for it gives its CPU away meanwhile.</summary>
    private sealed class CompletionRef(Cluster cluster, ArrayMap<T, TResult> map) : ObjectRef<object?>(cluster, default)
    {
        // Whoever holds the ref holds the map.
        public ArrayMap<T, TResult> Map => map;

        public void TrySetResult(object? value, Exception? failure)
        {
            if (failure is null)
                TrySetResult(value);
            else
                TrySetException(failure);
        }
    }

    private sealed class RunnerEnd(ArrayMap<T, TResult> map, ObjectRef<object?> runner) : RefContinuation
    {
        internal override void Run() => map.Ended(runner);
    }
}
