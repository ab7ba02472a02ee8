using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>The objects of the head that a worker holds. Each is forgotten by the finalizer of its <see cref="Hold"/>; the head is told of many at once. Its state is written under its lock.</summary>
internal sealed class HeldRefs(FramePump pump) : IThreadPoolWorkItem
{
    private readonly Lock sync = new();
    private readonly Dictionary<long, WeakReference<Hold>> holds = [];
    private Release? pending;

    /// <summary>A message brought a ref.</summary>
    public Hold Add(ObjectId id)
    {
        Hold hold;
        lock (sync)
        {
            if (!holds.TryGetValue(id.Number, out var weak) || !weak.TryGetTarget(out hold!))
            {
                hold = new(this, id);
                holds[id.Number] = new(hold);
            }
        }

        hold.Add();
        return hold;
    }

    public Hold? Find(ObjectId id)
    {
        lock (sync)
            return holds.TryGetValue(id.Number, out var weak) && weak.TryGetTarget(out var hold) ? hold : null;
    }

    public void Forget(Hold hold, int count)
    {
        lock (sync)
        {
            // Another may have taken its place since it became unreachable.
            if (holds.TryGetValue(hold.Id.Number, out var weak) && !weak.TryGetTarget(out _))
                holds.Remove(hold.Id.Number);
            var first = pending is null;
            pending ??= new();
            pending.Ids.Add(hold.Id.Number);
            pending.Counts.Add(count);
            if (!first)
                return;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        Release? release;
        lock (sync)
            (release, pending) = (pending, null);
        if (release is not null)
            pump.Send(new() { Release = release });
    }
}
