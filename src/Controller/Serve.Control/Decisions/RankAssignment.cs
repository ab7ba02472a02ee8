namespace Serve.Control;

/// <summary>Keeps ranks contiguous from 0 with as few changes as possible.</summary>
internal static class RankAssignment
{
    /// <summary>Gives every replica a rank below <paramref name="count"/>; who has a valid one keeps it.</summary>
    /// <returns>The ranks by replica, and the ranks nobody has, lowest first.</returns>
    public static (Dictionary<ReplicaId, int> Ranks, Queue<int> Free) Assign(IReadOnlyCollection<ObservedReplica> replicas, int count)
    {
        Dictionary<ReplicaId, int> ranks = [];
        HashSet<int> taken = [];
        foreach (var replica in replicas.OrderBy(replica => replica.StartedAt).ThenBy(replica => replica.Id.Suffix, StringComparer.Ordinal))
        {
            if (replica.Rank < count && taken.Add(replica.Rank))
                ranks[replica.Id] = replica.Rank;
        }

        var free = new Queue<int>(Enumerable.Range(0, count).Where(rank => !taken.Contains(rank)));
        foreach (var replica in replicas.Where(replica => !ranks.ContainsKey(replica.Id)).OrderBy(replica => replica.Rank))
            ranks[replica.Id] = free.Dequeue();
        return (ranks, free);
    }
}
