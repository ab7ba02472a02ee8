namespace Serve.Runtime.Nodes;

/// <summary>
/// The node's actors and the moves of their lives. The one writer of <see cref="ActorRecord"/>: whoever makes the move out of a phase owns
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
internal sealed class ActorRegister
{
    private readonly Lock sync = new();
    private readonly Dictionary<ActorId, ActorRecord> records = [];
    private bool closed;

    public ActorRecord Begin(ActorSpec spec)
    {
        lock (sync)
        {
            ObjectDisposedException.ThrowIf(closed, typeof(IActorRuntime));
            var record = new ActorRecord(spec);
            return records.TryAdd(spec.Id, record) ? record : throw new ActorCreationException(spec.Id, $"Actor {spec.Id} exists already.");
        }
    }

    public ActorRecord? Find(ActorId id)
    {
        lock (sync)
            return records.GetValueOrDefault(id);
    }

    /// <summary>Takes no more actors from now on; those that are left.</summary>
    public IReadOnlyList<ActorRecord> Close()
    {
        lock (sync)
        {
            closed = true;
            return [.. records.Values];
        }
    }

    public IReadOnlyList<ActorId> At(IActorHome home)
    {
        lock (sync)
            return [.. records.Values.Where(record => record.Home == home && record.Phase != RecordPhase.Gone).Select(record => record.Spec.Id)];
    }

    public void Allocated(ActorRecord record, ResourceAllocation allocation)
    {
        lock (sync)
            record.Allocation = allocation;
    }

    public void Housed(ActorRecord record, IActorHome home)
    {
        lock (sync)
            record.Home = home;
    }

    public bool TryLive(ActorRecord record)
    {
        lock (sync)
        {
            if (record.Home!.EndedBecause is not null || record.IsGivenUp)
                return false;
            record.Phase = RecordPhase.Live;
            return true;
        }
    }

    /// <summary>Whether the caller is the one that ends the actor. When its creator does, the creation is given up first.</summary>
    public bool Stop(ActorRecord record)
    {
        lock (sync)
        {
            if (record.Phase == RecordPhase.Live)
            {
                record.Phase = RecordPhase.Stopping;
                return true;
            }

            record.IsGivenUp |= record.Phase == RecordPhase.Creating;
        }

        if (record.IsGivenUp)
            record.Creation.Cancel();
        return false;
    }

    public void Forget(ActorRecord record)
    {
        lock (sync)
        {
            record.Phase = RecordPhase.Gone;
            records.Remove(record.Spec.Id);
        }

        record.Gone.TrySetResult();
    }

    /// <summary>The live actors of a home that ended; they are gone from here on.</summary>
    public IReadOnlyList<ActorRecord> TakeDead(IActorHome home)
    {
        List<ActorRecord> dead;
        lock (sync)
        {
            dead = [.. records.Values.Where(record => record.Home == home && record.Phase == RecordPhase.Live)];
            foreach (var record in dead)
            {
                record.Phase = RecordPhase.Gone;
                records.Remove(record.Spec.Id);
            }
        }

        return dead;
    }
}
