using System.Collections.Concurrent;

namespace Serve.Runtime.Tasks;

/// <summary>
/// A queue that gives back the memory of many items that have gone through it: <see cref="ConcurrentQueue{T}"/> keeps what the most that it ever held took. It is
/// exchanged for a new one while it is empty; who adds to one and finds it exchanged afterwards moves what lies there, so that nothing is left behind. Lock-free.
/// </summary>
/// <param name="large">After how many items it is worth it.</param>
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
