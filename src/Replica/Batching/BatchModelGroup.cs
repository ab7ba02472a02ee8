namespace Serve.Replica.Batching;

/// <summary>The items that may share a batch: those that ask for the same model, in the order in which they came. Written by whoever holds the queue.</summary>
internal sealed class BatchModelGroup<TItem, TResult>(string? model)
{
    private QueuedBatchItem<TItem, TResult>? _tail;

    public string? Model => model;

    public QueuedBatchItem<TItem, TResult>? First { get; private set; }

    public int Count { get; private set; }

    /// <summary>What the sizes of its items add up to; long, since a queue may be long.</summary>
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

    /// <summary>Takes the first ones out, as many as a batch holds, and at least one.</summary>
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

    /// <summary>Takes those out that have ended.</summary>
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
        // Else a queue that nobody uses would keep what its last batch was given and gave.
        if (First is null)
            _tail = null;
        item.Next = null;
        Count--;
        Size -= item.Size;
        return item;
    }
}
