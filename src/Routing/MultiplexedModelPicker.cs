namespace Serve.Routing;

/// <summary>
/// Picks for requests that ask for a multiplexed model. A replica that has it and has room; when all that have it are full, waiting for one of them is
/// cheaper than loading it once more, for as long as a load takes (to wait as long as the other way costs is never more than twice the best choice:
/// the ski rental problem), at most a second as in Ray Serve. Else the replica with the most free places for models, or, when none has one, the one that
/// would unload what has not been used for longest: over one router all replicas together so unload in the order of one list. Choosing and remembering
/// the choice is one step, so that two requests for a model are never loads in two places.
/// </summary>
/// <param name="plain">Picks when no replica multiplexes; the same that requests without a model use.</param>
/// <param name="slots">The replicas.</param>
/// <param name="limit">How many leases one replica may have out.</param>
/// <param name="gate">The router's lock of models.</param>
/// <param name="time">The clock.</param>
internal sealed class MultiplexedModelPicker(ReplicaPicker plain, ReplicaSlot[] slots, int limit, Lock gate, TimeProvider time)
{
    private static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(1);

    /// <summary>Picks a replica for a model and enters it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="patient">Whether to rather wait for a replica that has the model than have another load it.</param>
    /// <returns>The replica, or to wait, or to give up.</returns>
    public ReplicaPickResult Pick(string model, bool patient)
    {
        lock (gate)
        {
            var now = time.GetTimestamp();
            if (TryEnterHolder(model, now, out var mayWait) is { } holder)
                return Enter(holder, model, now);
            if (mayWait && patient)
                return ReplicaPickResult.Queue;
            return TryEnterLoader(now) is { } place ? Enter(place, model, now) : PickWithoutModel();
        }
    }

    /// <summary>How long a request waits for a replica that has its model before another loads it.</summary>
    public TimeSpan Patience
    {
        get
        {
            lock (gate)
            {
                var (sum, count) = (0.0, 0);
                foreach (var slot in slots)
                {
                    if (slot.Models is not { LoadMs: > 0 and var milliseconds })
                        continue;
                    sum += milliseconds;
                    count++;
                }

                return count == 0 || sum / count > LongestPatience.TotalMilliseconds ? LongestPatience : TimeSpan.FromMilliseconds(sum / count);
            }
        }
    }

    private ReplicaPickResult PickWithoutModel()
    {
        // Nothing with models has room: the others, if there are any, are better than waiting.
        foreach (var slot in slots)
        {
            if (slot.Models is null)
                return plain.Pick();
        }

        return slots.Length == 0 ? plain.Pick() : ReplicaPickResult.Queue;
    }

    private static ReplicaPickResult Enter(ReplicaSlot slot, string model, long now)
    {
        slot.Models!.RecordRequest(model, now);
        return ReplicaPickResult.Complete(slot);
    }

    /// <summary>Enters the least loaded of the replicas that have the model; those where it can be used at once go first.</summary>
    private ReplicaSlot? TryEnterHolder(string model, long now, out bool mayWait)
    {
        mayWait = false;
        while (true)
        {
            ReplicaSlot? best = null;
            var bestLoaded = false;
            foreach (var slot in slots)
            {
                if (slot.Models is not { } models || !models.HasModel(model, now, out var loaded))
                    continue;
                if (!slot.HasCapacity(limit, time))
                    mayWait |= !slot.IsGone;
                else if (best is null || (loaded, -slot.Ongoing).CompareTo((bestLoaded, -best.Ongoing)) > 0)
                    (best, bestLoaded) = (slot, loaded);
            }

            // A pick without a model may have taken the last room meanwhile; then the next look sees it full.
            if (best is null || best.TryEnter(limit))
                return best;
        }
    }

    private ReplicaSlot? TryEnterLoader(long now)
    {
        while (true)
        {
            ReplicaSlot? best = null;
            var bestRank = (Free: 0L, Oldest: 0L, Ongoing: 0);
            foreach (var slot in slots)
            {
                if (slot.Models is not { } models || !slot.HasCapacity(limit, time))
                    continue;
                var (count, oldest) = models.GetUsage(now);
                // Without a limit the one with the fewest models is as good as the one with the most places.
                var free = models.Max < 0 ? int.MaxValue - (long)count : Math.Max(0, models.Max - count);
                var rank = (Free: free, Oldest: free > 0 ? 0 : oldest, slot.Ongoing);
                if (best is null || (rank.Free, -rank.Oldest, -rank.Ongoing).CompareTo((bestRank.Free, -bestRank.Oldest, -bestRank.Ongoing)) > 0)
                    (best, bestRank) = (slot, rank);
            }

            if (best is null || best.TryEnter(limit))
                return best;
        }
    }
}
