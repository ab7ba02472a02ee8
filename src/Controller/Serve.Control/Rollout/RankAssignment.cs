using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>Assigns contiguous ranks from 0 with as few changes as possible.</summary>
internal static class RankAssignment
{
    /// <summary>Assigns every replica a rank below <paramref name="count"/>; a replica with a valid rank keeps it.</summary>
    /// <returns>The ranks by replica, and the unassigned ranks in ascending order.</returns>
    public static (Dictionary<ReplicaId, int> Ranks, Queue<int> Free) Assign(IReadOnlyCollection<ObservedReplica> replicas, int count)
    {
        Dictionary<ReplicaId, int> ranks = [];
        HashSet<int> assigned = [];
        foreach (var replica in replicas.OrderBy(replica => replica.StartedAt).ThenBy(replica => replica.Id.Suffix, StringComparer.Ordinal))
        {
            if (replica.Rank < count && assigned.Add(replica.Rank))
                ranks[replica.Id] = replica.Rank;
        }

        var free = new Queue<int>(Enumerable.Range(0, count).Where(rank => !assigned.Contains(rank)));
        foreach (var replica in replicas.Where(replica => !ranks.ContainsKey(replica.Id)).OrderBy(replica => replica.Rank))
            ranks[replica.Id] = free.Dequeue();
        return (ranks, free);
    }
}
