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

    /// <summary>What lies in it at this moment.</summary>
    public IEnumerable<T> Items => _items;

    public bool TryPeek(out T item) => _items.TryPeek(out item!);

    public bool TryDequeue(out T item) => _items.TryDequeue(out item!);

    /// <summary>Adds an item. A full barrier: what the caller reads next is read after the item can be seen.</summary>
    public void Enqueue(T item)
    {
        _added++;
        var into = _items;
        into.Enqueue(item);

        // The item is there before this is read, or else whoever exchanges the queue sees the item.
        Interlocked.MemoryBarrier();
        if (into != _items)
            MoveItems(into);
    }

    /// <summary>Gives memory back, if it is empty and that is worth it.</summary>
    public void Trim()
    {
        // Counted without a lock: a count that is off costs a new queue or an old one's memory, and no item.
        if (_added < large || !_items.IsEmpty)
            return;
        _added = 0;
        MoveItems(Interlocked.Exchange(ref _items, new()));
    }

    // It may be exchanged again meanwhile, so what is moved is added like anything else.
    private void MoveItems(ConcurrentQueue<T> from)
    {
        while (from.TryDequeue(out var item))
            Enqueue(item);
    }
}
