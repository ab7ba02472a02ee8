using System.Collections.Concurrent;

namespace Serve.Runtime.Tasks;

/// <summary>Concurrent queue that releases the memory of past items: a <see cref="ConcurrentQueue{T}"/> keeps the capacity of its maximum.</summary>
/// <remarks>
/// Lock-free. Trim replaces the inner queue by a new one while it is empty.
/// Invariant: no item stays in a replaced queue.
/// Memory order: Enqueue adds to the queue that it has read, issues a full barrier and reads the field again. Trim replaces the field (a full barrier), then drains
/// the old queue. If Enqueue does not see the new queue, its item was added before the replacement and is drained by Trim; if it does, it drains the old queue
/// itself. Both may drain; each item is dequeued once. Moved items are enqueued like new ones, because the queue may be replaced again.
/// Order: an item moved late may end up behind newer ones.
/// </remarks>
/// <param name="large">Number of items after which trimming pays off.</param>
internal sealed class MemoryTrimmingQueue<T>(int large)
{
    private volatile ConcurrentQueue<T> _items = new();
    private int _added;

    public bool IsEmpty => _items.IsEmpty;

    /// <summary>Snapshot of the queued items.</summary>
    public IEnumerable<T> Items => _items;

    public bool TryPeek(out T item) => _items.TryPeek(out item!);

    public bool TryDequeue(out T item) => _items.TryDequeue(out item!);

    /// <summary>Enqueues an item. Acts as a full memory barrier: whatever the caller reads afterwards is read after the item is visible.</summary>
    public void Enqueue(T item)
    {
        _added++;
        var into = _items;
        into.Enqueue(item);
        Interlocked.MemoryBarrier();
        if (into != _items)
            MoveItems(into);
    }

    /// <summary>Releases the memory of the queue if it is empty and has been large.</summary>
    public void Trim()
    {
        // Counted without synchronization. A wrong count costs an extra queue or delays the release of memory; it never loses an item.
        if (_added < large || !_items.IsEmpty)
            return;
        _added = 0;
        MoveItems(Interlocked.Exchange(ref _items, new()));
    }

    private void MoveItems(ConcurrentQueue<T> from)
    {
        while (from.TryDequeue(out var item))
            Enqueue(item);
    }
}
