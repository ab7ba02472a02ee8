namespace Serve.Replica.Batching;

/// <summary>Queued items that may share a batch: those that request the same model, in order of arrival. Owned by the queue's current decider.</summary>
internal sealed class BatchModelGroup<TItem, TResult>(string? model)
{
    private QueuedBatchItem<TItem, TResult>? _tail;

    public string? Model => model;

    public QueuedBatchItem<TItem, TResult>? First { get; private set; }

    public int Count { get; private set; }

    /// <summary>Total size of the items; long, since a queue may be long.</summary>
    public long Size { get; private set; }

    public void Add(QueuedBatchItem<TItem, TResult> item)
    {
        if (First is null)
            First = item;
        else
            _tail!.Next = item;
        _tail = item;
        Count++;
        Size += item.Size;
    }

    /// <summary>Removes the first items, as many as fit into a batch, and at least one.</summary>
    public QueuedBatchItem<TItem, TResult>[] Take(int maxBatchSize)
    {
        var (count, size) = (0, 0L);
        for (var item = First; item is not null && (count == 0 || size + item.Size <= maxBatchSize); item = item.Next)
        {
            count++;
            size += item.Size;
        }

        var taken = new QueuedBatchItem<TItem, TResult>[count];
        for (var i = 0; i < count; i++)
            taken[i] = Remove();
        return taken;
    }

    /// <summary>Removes items that have ended.</summary>
    public void Sweep()
    {
        for (var left = Count; left > 0; left--)
        {
            var item = Remove();
            if (!item.HasEnded)
                Add(item);
        }
    }

    private QueuedBatchItem<TItem, TResult> Remove()
    {
        var item = First!;
        First = item.Next;
        // Otherwise an idle queue would keep the values of its last batch alive.
        if (First is null)
            _tail = null;
        item.Next = null;
        Count--;
        Size -= item.Size;
        return item;
    }
}
