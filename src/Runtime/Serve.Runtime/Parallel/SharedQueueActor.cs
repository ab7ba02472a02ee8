namespace Serve.Runtime.Parallel;

/// <summary>
/// Actor behind <see cref="ActorQueue{T}"/>: the items, waiting consumers and waiting producers, each in order of arrival. Thread-safe; its state is written
/// under its lock. It returns outcomes instead of throwing, because its callers may be in other processes.
/// </summary>
internal sealed class SharedQueueActor<T>(int maxSize)
{
    private readonly Lock _sync = new();
    private readonly Queue<T> _items = new();
    private readonly LinkedList<TaskCompletionSource<T>> _takers = new();
    private readonly LinkedList<(T Item, TaskCompletionSource Accepted)> _givers = new();

    /// <summary>Returns the number of items.</summary>
    public int Size()
    {
        lock (_sync)
            return _items.Count;
    }

    /// <summary>Adds an item.</summary>
    /// <returns>Whether it was added in time. A null timeout waits indefinitely; zero or less does not wait.</returns>
    public async Task<bool> Put(T item, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        LinkedListNode<(T Item, TaskCompletionSource Accepted)> waiting;
        lock (_sync)
        {
            if (TryAdd(item))
                return true;
            if (timeout <= TimeSpan.Zero)
                return false;
            waiting = _givers.AddLast((item, new(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        await Patiently(waiting.Value.Accepted.Task, timeout, cancellationToken).ConfigureAwait(false);
        lock (_sync)
        {
            if (waiting.List is not null)
                _givers.Remove(waiting);
        }

        if (!waiting.Value.Accepted.Task.IsCompleted)
            cancellationToken.ThrowIfCancellationRequested();
        return waiting.Value.Accepted.Task.IsCompleted;
    }

    /// <summary>Removes and returns the first item, if one arrives in time.</summary>
    public async Task<(bool Has, T? Item)> Take(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource<T>> waiting;
        lock (_sync)
        {
            if (_items.Count > 0)
                return (true, Remove());
            if (timeout <= TimeSpan.Zero)
                return default;
            waiting = _takers.AddLast(new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        await Patiently(waiting.Value.Task, timeout, cancellationToken).ConfigureAwait(false);
        lock (_sync)
        {
            if (waiting.List is not null)
                _takers.Remove(waiting);
        }

        if (!waiting.Value.Task.IsCompleted)
            cancellationToken.ThrowIfCancellationRequested();
        return waiting.Value.Task.IsCompleted ? (true, await waiting.Value.Task.ConfigureAwait(false)) : default;
    }

    /// <summary>Adds all items or none.</summary>
    public bool PutBatch(T[] batch)
    {
        lock (_sync)
        {
            if (maxSize > 0 && _items.Count - _takers.Count + batch.Length > maxSize)
                return false;
            foreach (var item in batch)
                TryAdd(item);
            return true;
        }
    }

    /// <summary>Removes and returns so many items; null if there are fewer.</summary>
    public T[]? TakeBatch(int count)
    {
        lock (_sync)
        {
            if (_items.Count < count)
                return null;
            var batch = new T[count];
            for (var i = 0; i < count; i++)
                batch[i] = Remove();
            return batch;
        }
    }

    // A timeout is not an exception here: an item that was handed over at the last moment counts.
    private static async Task Patiently(Task task, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        try
        {
            await task.WaitAsync(timeout ?? Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception end) when (end is TimeoutException or OperationCanceledException)
        {
        }
    }

    private bool TryAdd(T item)
    {
        if (_takers.First is { } taker)
        {
            _takers.RemoveFirst();
            taker.Value.SetResult(item);
            return true;
        }

        if (maxSize > 0 && _items.Count >= maxSize)
            return false;
        _items.Enqueue(item);
        return true;
    }

    private T Remove()
    {
        var item = _items.Dequeue();
        if (_givers.First is { } giver)
        {
            _givers.RemoveFirst();
            _items.Enqueue(giver.Value.Item);
            giver.Value.Accepted.SetResult();
        }

        return item;
    }
}
