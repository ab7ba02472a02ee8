using Serve.Runtime.Nodes;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>
/// The node's actors and the moves of their lives. The one writer of <see cref="NodeActorRecord"/>: whoever makes the move out of a phase owns
/// what follows from it, so that resources are freed once and a death is told once.
/// <code>
/// Creating -> Live      TryLive       the creator; refused when the home ended meanwhile
/// Creating -> Gone      Forget        the creator, after undoing
/// Live     -> Stopping  Stop          the first that asks
/// Creating             Stop          gives the creation up; its creator undoes it
/// Stopping -> Gone      Forget        the one that made it Stopping
/// Live     -> Gone      TakeDead      the home's end; an actor being created or stopped is its creator's or stopper's
/// </code>
/// </summary>
internal sealed class NodeActorRegister
{
    private readonly Lock _sync = new();
    private readonly Dictionary<ActorId, NodeActorRecord> _records = [];
    private bool _closed;

    public NodeActorRecord Begin(ActorSpec spec)
    {
        lock (_sync)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(INodeAgent));
            var record = new NodeActorRecord(spec);
            return _records.TryAdd(spec.Id, record) ? record : throw new ActorCreationException(spec.Id, $"Actor {spec.Id} exists already.");
        }
    }

    public NodeActorRecord? Find(ActorId id)
    {
        lock (_sync)
            return _records.GetValueOrDefault(id);
    }

    /// <summary>Takes no more actors from now on; those that are left.</summary>
    public IReadOnlyList<NodeActorRecord> Close()
    {
        lock (_sync)
        {
            _closed = true;
            return [.. _records.Values];
        }
    }

    public IReadOnlyList<ActorId> At(IActorHostProcess home)
    {
        lock (_sync)
            return [.. _records.Values.Where(record => record.Home == home && record.Phase != NodeActorPhase.Gone).Select(record => record.Spec.Id)];
    }

    public void Allocated(NodeActorRecord record, ResourceAllocation allocation)
    {
        lock (_sync)
            record.Allocation = allocation;
    }

    public void Housed(NodeActorRecord record, IActorHostProcess home)
    {
        lock (_sync)
            record.Home = home;
    }

    public bool TryLive(NodeActorRecord record)
    {
        lock (_sync)
        {
            if (record.Home!.EndedBecause is not null || record.IsGivenUp)
                return false;
            record.Phase = NodeActorPhase.Live;
            return true;
        }
    }

    /// <summary>Whether the caller is the one that ends the actor. When its creator does, the creation is given up first.</summary>
    public bool Stop(NodeActorRecord record)
    {
        lock (_sync)
        {
            if (record.Phase == NodeActorPhase.Live)
            {
                record.Phase = NodeActorPhase.Stopping;
                return true;
            }

            record.IsGivenUp |= record.Phase == NodeActorPhase.Creating;
        }

        if (record.IsGivenUp)
            record.Creation.Cancel();
        return false;
    }

    public void Forget(NodeActorRecord record)
    {
        lock (_sync)
        {
            record.Phase = NodeActorPhase.Gone;
            _records.Remove(record.Spec.Id);
        }

        record.Gone.TrySetResult();
    }

    /// <summary>The live actors of a home that ended; they are gone from here on.</summary>
    public IReadOnlyList<NodeActorRecord> TakeDead(IActorHostProcess home)
    {
        List<NodeActorRecord> dead;
        lock (_sync)
        {
            dead = [.. _records.Values.Where(record => record.Home == home && record.Phase == NodeActorPhase.Live)];
            foreach (var record in dead)
            {
                record.Phase = NodeActorPhase.Gone;
                _records.Remove(record.Spec.Id);
            }
        }

        return dead;
    }
}
