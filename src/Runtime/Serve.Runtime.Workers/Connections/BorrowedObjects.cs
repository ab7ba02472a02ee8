using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Objects of the driver that a worker borrows. The finalizer of each <see cref="BorrowedObjectHold"/> returns the borrow; returns are sent in batches. State is written under the lock.</summary>
internal sealed class BorrowedObjects(OutboundFrameQueue pump) : IThreadPoolWorkItem
{
    private readonly Lock _sync = new();
    private readonly Dictionary<long, WeakReference<BorrowedObjectHold>> _holds = [];
    private Release? _pending;

    /// <summary>Records a reference that arrived in a message.</summary>
    public BorrowedObjectHold Add(ObjectId id)
    {
        BorrowedObjectHold hold;
        lock (_sync)
        {
            if (!_holds.TryGetValue(id.Number, out var weak) || !weak.TryGetTarget(out hold!))
            {
                hold = new(this, id);
                _holds[id.Number] = new(hold);
            }
        }

        hold.Add();
        return hold;
    }

    public BorrowedObjectHold? Find(ObjectId id)
    {
        lock (_sync)
            return _holds.TryGetValue(id.Number, out var weak) && weak.TryGetTarget(out var hold) ? hold : null;
    }

    public void QueueRelease(BorrowedObjectHold hold, int count)
    {
        lock (_sync)
        {
            // Another hold may have replaced it since it became unreachable.
            if (_holds.TryGetValue(hold.Id.Number, out var weak) && !weak.TryGetTarget(out _))
                _holds.Remove(hold.Id.Number);
            var first = _pending is null;
            _pending ??= new();
            _pending.Ids.Add(hold.Id.Number);
            _pending.Counts.Add(count);
            if (!first)
                return;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        Release? release;
        lock (_sync)
            (release, _pending) = (_pending, null);
        if (release is not null)
            pump.Send(new() { Release = release });
    }
}
