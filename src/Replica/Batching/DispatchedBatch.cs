using Serve.Calls;

namespace Serve.Replica.Batching;

/// <summary>
/// A batch of items. The code that runs it first starts it, which removes canceled items, and then sets the result of each item. Its token is canceled when all of its callers have
/// canceled.
/// </summary>
public sealed class DispatchedBatch<TItem, TResult> : IThreadPoolWorkItem
{
    private readonly BatchQueue<TItem, TResult> _queue;
    private QueuedBatchItem<TItem, TResult>[] _items;
    private CancellationTokenSource? _stop;
    private int _callers;

    internal DispatchedBatch(BatchQueue<TItem, TResult> queue, QueuedBatchItem<TItem, TResult>[] items, int maxBatchSize)
    {
        (_queue, _items, MaxBatchSize, Formed) = (queue, items, maxBatchSize, items.Length);
        foreach (var item in items)
            item.Batch = this;
    }

    /// <summary>Model that all items request; null for none.</summary>
    public string? Model => _items.Length == 0 ? null : _items[0].Model;

    /// <summary>Urgency of the batch: the highest priority, and the latest deadline if all items have one.</summary>
    public CallUrgency Urgency => new(
        Array.Exists(_items, item => item.Urgency.Deadline == 0) ? 0 : _items.Max(item => item.Urgency.Deadline), _items.Max(item => item.Urgency.Priority));

    /// <summary>Values of the items in order of arrival. Empty until the batch has started.</summary>
    public TItem[] Items { get; private set; } = [];

    /// <summary>Number of items.</summary>
    public int Count => Items.Length;

    /// <summary>Canceled when all callers have canceled.</summary>
    public CancellationToken CancellationToken
    {
        get
        {
            if (Volatile.Read(ref _stop) is { } known)
                return known.Token;
            var made = new CancellationTokenSource();
            made = Interlocked.CompareExchange(ref _stop, made, null) ?? made;
            if (Volatile.Read(ref _callers) == 0 || _queue.IsAborted)
                made.Cancel();
            return made.Token;
        }
    }

    /// <summary>Called when the batch has ended.</summary>
    internal Action? AtEnd { get; set; }

    /// <summary>Request context of the user code; null for none.</summary>
    internal RequestContext? Request { get; set; }

    /// <summary>Number of items without a result.</summary>
    internal int Unended => _items.Count(item => !item.HasEnded);

    /// <summary>Number of items before the batch started.</summary>
    internal int Formed { get; }

    internal int MaxBatchSize { get; }

    internal int Size { get; private set; }

    /// <summary>Start time in ticks of the queue's clock; 0 before the start.</summary>
    internal long Started { get; private set; }

    internal long Ended { get; set; }

    /// <summary>Arrival time of the first item.</summary>
    internal long Arrived { get; private set; }

    /// <summary>Next element of the intrusive list.</summary>
    internal DispatchedBatch<TItem, TResult>? Next { get; set; }

    /// <summary>Starts the batch, without canceled items.</summary>
    /// <returns>False if no item is left.</returns>
    public bool TryStart()
    {
        Started = _queue.Now;
        Volatile.Write(ref _callers, _items.Length + 1);
        var staying = 0;
        foreach (var item in _items)
        {
            if (item.TryStart())
                _items[staying++] = item;
            else
                Left();
        }

        if (staying < _items.Length)
            _items = _items[..staying];
        var values = new TItem[staying];
        var (size, arrived) = (0, Started);
        for (var i = 0; i < staying; i++)
        {
            values[i] = _items[i].Value;
            size += _items[i].Size;
            arrived = Math.Min(arrived, _items[i].Arrived);
        }

        (Items, Size, Arrived) = (values, size, arrived);
        Left();
        return staying > 0;
    }

    /// <summary>Sets the result of an item.</summary>
    /// <returns>False if the item has ended before, for example because it was canceled.</returns>
    public bool SetResult(int index, TResult result) => _items[index].TrySetResult(result);

    /// <summary>Fails an item.</summary>
    /// <returns>False if the item has ended before.</returns>
    public bool SetException(int index, Exception thrown) => _items[index].TrySetException(thrown);

    /// <summary>Fails all items without a result.</summary>
    internal void Fail(Exception thrown)
    {
        foreach (var item in _items)
            item.TrySetException(thrown);
    }

    /// <summary>Fails items for which the batch set no result.</summary>
    internal void FailUnended()
    {
        foreach (var item in _items)
        {
            if (!item.HasEnded)
                item.TrySetException(new InvalidOperationException("The batch ended without a result for this item."));
        }
    }

    /// <summary>Cancels the code that runs the batch.</summary>
    // Asynchronously, since the calling thread is a caller's and user code may be registered.
    public void Cancel() => _ = Volatile.Read(ref _stop)?.CancelAsync();

    void IThreadPoolWorkItem.Execute() => _queue.Run(this);

    /// <summary>Called when a caller has canceled.</summary>
    internal void Left()
    {
        if (Interlocked.Decrement(ref _callers) == 0)
            Cancel();
    }
}
