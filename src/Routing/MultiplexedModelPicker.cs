namespace Serve.Routing;

/// <summary>
/// Picks replicas for requests with a multiplexed model: a replica that has the model. If all that have it are busy, the request waits for one of them for as
/// long as loading takes on average (waiting as long as the alternative costs is at most twice as bad as the best choice: the ski rental problem), at most
/// one second as in Ray Serve. Otherwise it picks the replica with the most free model slots, or, if there are none, the one that would unload the least
/// recently used model; so all replicas together unload in LRU order. Choosing and recording the choice is one step under the lock, so that concurrent
/// requests for one model load it once.
/// </summary>
/// <param name="withoutModel">Picks if no replica multiplexes; the policy of requests without a model.</param>
/// <param name="slots">The replicas.</param>
/// <param name="sync">The router's lock of its model data.</param>
/// <param name="time">The clock.</param>
internal sealed class MultiplexedModelPicker(PolicyReplicaSelector withoutModel, ReplicaSlot[] slots, Lock sync, TimeProvider time)
{
    private static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(1);

    /// <summary>How long a request waits for a replica that has its model before another one loads it.</summary>
    public TimeSpan Patience
    {
        get
        {
            lock (sync)
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

    /// <summary>Picks a replica for a model and takes a lease on it.</summary>
    /// <param name="request">The request, which names a model.</param>
    /// <param name="patient">Whether to wait for a replica that has the model rather than let another one load it.</param>
    public ReplicaPickResult Pick(in RoutingRequest request, bool patient)
    {
        var model = request.MultiplexedModelId!;
        lock (sync)
        {
            var now = time.GetTimestamp();
            if (TryEnterHolder(model, now, out var mayWait) is { } holder)
                return Complete(holder, model, now);
            if (mayWait && patient)
                return ReplicaPickResult.Queue;
            return TryEnterLoader(now) is { } loader ? Complete(loader, model, now) : PickWithoutModel(request);
        }
    }

    private ReplicaPickResult PickWithoutModel(in RoutingRequest request)
    {
        // All replicas with models are busy: one that has not reported models is better than waiting.
        foreach (var slot in slots)
        {
            if (slot.Models is null)
                return withoutModel.Select(request);
        }

        return slots.Length == 0 ? withoutModel.Select(request) : ReplicaPickResult.Queue;
    }

    private static ReplicaPickResult Complete(ReplicaSlot slot, string model, long now)
    {
        slot.Models!.RecordRequest(model, now);
        return ReplicaPickResult.Complete(slot);
    }

    /// <summary>Takes a lease on the least loaded replica that has the model, preferring those that have loaded it.</summary>
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
                if (!slot.IsAvailable)
                    mayWait |= !slot.IsGone;
                else if (best is null || (loaded, -slot.Ongoing).CompareTo((bestLoaded, -best.Ongoing)) > 0)
                    (best, bestLoaded) = (slot, loaded);
            }

            // A concurrent pick without a model may have taken the last lease; then the next iteration finds the replica busy.
            if (best is null || best.TryEnter())
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
                if (slot.Models is not { } models || !slot.IsAvailable)
                    continue;
                var (count, oldest) = models.GetUsage(now);
                // Without a limit, the replica with the fewest models counts as the one with the most free slots.
                var free = models.Max < 0 ? int.MaxValue - (long)count : Math.Max(0, models.Max - count);
                var rank = (Free: free, Oldest: free > 0 ? 0 : oldest, slot.Ongoing);
                if (best is null || (rank.Free, -rank.Oldest, -rank.Ongoing).CompareTo((bestRank.Free, -bestRank.Oldest, -bestRank.Ongoing)) > 0)
                    (best, bestRank) = (slot, rank);
            }

            if (best is null || best.TryEnter())
                return best;
        }
    }
}
