using Serve.Calls;

namespace Serve.Replica.Batching;

/// <summary>
/// Items that go together. Whoever runs it starts it first, which takes out those that have left, and then gives each item its result. Its token is cancelled when all its callers have gone.
/// Its items are written until it starts; how they end is each item's own affair.
/// </summary>
public sealed class DispatchedBatch<TItem, TResult> : IThreadPoolWorkItem
{
    private readonly BatchQueue<TItem, TResult> _queue;
    private QueuedBatchItem<TItem, TResult>[] _items;
    private CancellationTokenSource? _stop;
    private int _callers;

    internal DispatchedBatch(BatchQueue<TItem, TResult> queue, QueuedBatchItem<TItem, TResult>[] items, int maxBatchSize)
    {
        (this._queue, this._items, MaxBatchSize, Formed) = (queue, items, maxBatchSize, items.Length);
        foreach (var item in items)
            item.Batch = this;
    }

    /// <summary>The model that all its items ask for; null for none.</summary>
    public string? Model => _items.Length == 0 ? null : _items[0].Model;

    /// <summary>What callers put in, in the order in which they came. Empty until it has started.</summary>
    public TItem[] Items { get; private set; } = [];

    /// <summary>How many items it has.</summary>
    public int Count => Items.Length;

    /// <summary>Cancelled when all its callers have gone.</summary>
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

    /// <summary>Done when it has ended.</summary>
    internal Action? AtEnd { get; set; }

    /// <summary>What the code that it runs sees as its request; null when it sees none.</summary>
    internal RequestContext? Request { get; set; }

    /// <summary>How many items have no result yet.</summary>
    internal int Unended => _items.Count(item => !item.HasEnded);

    /// <summary>How many items it was made of.</summary>
    internal int Formed { get; }

    internal int MaxBatchSize { get; }

    internal int Size { get; private set; }

    /// <summary>When it started, by the queue's clock; 0 before.</summary>
    internal long Started { get; private set; }

    internal long Ended { get; set; }

    /// <summary>When the first of its items came.</summary>
    internal long Arrived { get; private set; }

    /// <summary>The next in whatever list it is in.</summary>
    internal DispatchedBatch<TItem, TResult>? Next { get; set; }

    /// <summary>Starts it, without those who have left.</summary>
    /// <returns>False when nobody is left; there is nothing to run then.</returns>
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

    /// <summary>Gives an item its result.</summary>
    /// <returns>False when it has ended before, for instance because its caller has gone.</returns>
    public bool SetResult(int index, TResult result) => _items[index].TrySetResult(result);

    /// <summary>Has an item fail.</summary>
    /// <returns>False when it has ended before.</returns>
    public bool SetException(int index, Exception thrown) => _items[index].TrySetException(thrown);

    /// <summary>Has all items fail that have no result.</summary>
    internal void Fail(Exception thrown)
    {
        foreach (var item in _items)
            item.TrySetException(thrown);
    }

    /// <summary>Has items fail that were forgotten.</summary>
    internal void FailUnended()
    {
        foreach (var item in _items)
        {
            if (!item.HasEnded)
                item.TrySetException(new InvalidOperationException("The batch ended without a result for this item."));
        }
    }

    /// <summary>Tells what runs it to stop.</summary>
    // Not on this thread, which is a caller's: user code may be registered.
    public void Cancel() => _ = Volatile.Read(ref _stop)?.CancelAsync();

    void IThreadPoolWorkItem.Execute() => _queue.Run(this);

    /// <summary>One caller less.</summary>
    internal void Left()
    {
        if (Interlocked.Decrement(ref _callers) == 0)
            Cancel();
    }
}
