namespace Serve.Replica.Batching;

/// <summary>
/// Queued items that may share a batch: those that request the same model, by priority and in order of arrival. Owned by the queue's current decider.
/// </summary>
internal sealed class BatchModelGroup<TItem, TResult>(string? model)
{
    /// <summary>One of this many items that leave is the oldest, so that no priority starves.</summary>
    public const int OldestEvery = 16;

    private QueuedBatchItem<TItem, TResult>? _tail;
    private bool _isMixed;
    private int _left;

    public string? Model => model;

    public QueuedBatchItem<TItem, TResult>? First { get; private set; }

    public int Count { get; private set; }

    /// <summary>Total size of the items; long, since a queue may be long.</summary>
    public long Size { get; private set; }

    /// <summary>Number of items with a deadline.</summary>
    public int Timed { get; private set; }

    /// <summary>Arrival of the item that has waited longest. The group is not empty.</summary>
    public long OldestArrival => _isMixed ? FindOldest().Arrived : First!.Arrived;

    /// <summary>The earliest deadline; <see cref="long.MaxValue"/> if there is none.</summary>
    public long EarliestDeadline
    {
        get
        {
            var earliest = long.MaxValue;
            for (var item = Timed == 0 ? null : First; item is not null; item = item.Next)
            {
                if (item.Urgency.Deadline is not 0 and var deadline && deadline < earliest)
                    earliest = deadline;
            }

            return earliest;
        }
    }

    public void Add(QueuedBatchItem<TItem, TResult> item)
    {
        if (First is null)
            (First, _tail, _isMixed) = (item, item, false);
        else if (_tail!.Urgency.Priority >= item.Urgency.Priority)
            Append(item);
        else
            Insert(item);
        Count++;
        Size += item.Size;
        if (item.Urgency.Deadline != 0)
            Timed++;
    }

    /// <summary>Removes the next items, as many as fit into a batch, and at least one.</summary>
    public QueuedBatchItem<TItem, TResult>[] Take(int maxBatchSize)
    {
        if (_isMixed)
            return TakeMixed(maxBatchSize);
        var (count, size) = (0, 0L);
        for (var item = First; item is not null && (count == 0 || size + item.Size <= maxBatchSize); item = item.Next)
        {
            count++;
            size += item.Size;
        }

        var taken = new QueuedBatchItem<TItem, TResult>[count];
        for (var i = 0; i < count; i++)
            taken[i] = Remove(First!);
        return taken;
    }

    /// <summary>Removes items that have ended.</summary>
    public void Sweep()
    {
        var item = First;
        (First, _tail, Count, Size, Timed) = (null, null, 0, 0, 0);
        while (item is not null)
        {
            var next = item.Next;
            item.Next = null;
            if (!item.HasEnded)
                Add(item);
            item = next;
        }
    }

    private QueuedBatchItem<TItem, TResult>[] TakeMixed(int maxBatchSize)
    {
        List<QueuedBatchItem<TItem, TResult>> taken = [];
        var size = 0L;
        while (First is not null)
        {
            var next = (_left + 1) % OldestEvery == 0 ? FindOldest() : First;
            if (taken.Count > 0 && size + next.Size > maxBatchSize)
                break;
            _left++;
            size += next.Size;
            taken.Add(Remove(next));
        }

        return [.. taken];
    }

    private void Append(QueuedBatchItem<TItem, TResult> item)
    {
        _isMixed |= _tail!.Urgency.Priority != item.Urgency.Priority;
        _tail.Next = item;
        _tail = item;
    }

    private void Insert(QueuedBatchItem<TItem, TResult> item)
    {
        _isMixed = true;
        QueuedBatchItem<TItem, TResult>? before = null;
        var next = First;
        while (next!.Urgency.Priority >= item.Urgency.Priority)
            (before, next) = (next, next.Next);
        item.Next = next;
        if (before is null)
            First = item;
        else
            before.Next = item;
    }

    private QueuedBatchItem<TItem, TResult> FindOldest()
    {
        var oldest = First!;
        for (var item = First; item is not null; item = item.Next)
        {
            if (item.Arrived < oldest.Arrived)
                oldest = item;
        }

        return oldest;
    }

    private QueuedBatchItem<TItem, TResult> Remove(QueuedBatchItem<TItem, TResult> item)
    {
        QueuedBatchItem<TItem, TResult>? before = null;
        for (var other = First; !ReferenceEquals(other, item); other = other!.Next)
            before = other;
        if (before is null)
            First = item.Next;
        else
            before.Next = item.Next;
        // Otherwise an idle queue would keep the values of its last batch alive.
        if (ReferenceEquals(_tail, item))
            _tail = before;
        item.Next = null;
        Count--;
        Size -= item.Size;
        if (item.Urgency.Deadline != 0)
            Timed--;
        return item;
    }
}
