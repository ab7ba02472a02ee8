using System.Collections.Concurrent;

namespace Serve.Runtime.Tasks;

/// <summary>
/// A queue that gives back the memory of many items that have gone through it: <see cref="ConcurrentQueue{T}"/> keeps what the most that it ever held took. It is
/// exchanged for a new one while it is empty; who adds to one and finds it exchanged afterwards moves what lies there, so that nothing is left behind. Lock-free.
/// </summary>
/// <param name="large">After how many items it is worth it.</param>
internal sealed class TrimmedQueue<T>(int large)
{
    private volatile ConcurrentQueue<T> items = new();
    private int added;

    public bool IsEmpty => items.IsEmpty;

    /// <summary>What lies in it at this moment.</summary>
    public IEnumerable<T> Items => items;

    public bool TryPeek(out T item) => items.TryPeek(out item!);

    public bool TryTake(out T item) => items.TryDequeue(out item!);

    /// <summary>Adds an item. A full barrier: what the caller reads next is read after the item can be seen.</summary>
    public void Add(T item)
    {
        added++;
        var into = items;
        into.Enqueue(item);

        // The item is there before this is read, or else whoever exchanges the queue sees the item.
        Interlocked.MemoryBarrier();
        if (into != items)
            Move(into);
    }

    /// <summary>Gives memory back, if it is empty and that is worth it.</summary>
    public void Trim()
    {
        // Counted without a lock: a count that is off costs a new queue or an old one's memory, and no item.
        if (added < large || !items.IsEmpty)
            return;
        added = 0;
        Move(Interlocked.Exchange(ref items, new()));
    }

    // It may be exchanged again meanwhile, so what is moved is added like anything else.
    private void Move(ConcurrentQueue<T> from)
    {
        while (from.TryDequeue(out var item))
            Add(item);
    }
}
