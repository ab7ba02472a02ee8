using Serve.Control.Observed;
using Serve.Replicas;

namespace Serve.Control.Rollout;

/// <summary>
/// Assigns contiguous ranks from 0 to the replicas of a deployment, to their nodes, and to the replicas of each node, with as few changes as possible: whichever has a valid rank keeps it.
/// </summary>
internal sealed class RankAssignment
{
    private readonly int _worldSize;
    private readonly Dictionary<ReplicaId, ReplicaPlace> _places = [];
    private readonly Queue<int> _free;
    private readonly Dictionary<NodeId, (int Rank, int Replicas)> _nodes = [];

    /// <summary>Assigns ranks to replicas.</summary>
    /// <param name="replicas">The replicas.</param>
    /// <param name="worldSize">The target number of replicas.</param>
    public RankAssignment(IReadOnlyCollection<ObservedReplica> replicas, int worldSize)
    {
        _worldSize = worldSize;
        List<ObservedReplica> ordered = [.. replicas.OrderBy(replica => replica.StartedAt).ThenBy(replica => replica.Id.Suffix, StringComparer.Ordinal)];
        var (ranks, free) = Assign(ordered, static replica => replica.Id, static replica => replica.Place.Rank, Math.Max(worldSize, ordered.Count));
        _free = free;
        var nodes = ordered.GroupBy(replica => replica.Node).ToList();
        var (nodeRanks, _) = Assign(nodes, static node => node.Key, static node => node.First().Place.NodeRank, nodes.Count);
        foreach (var node in nodes)
        {
            List<ObservedReplica> local = [.. node];
            var (localRanks, _) = Assign(local, static replica => replica.Id, static replica => replica.Place.LocalRank, local.Count);
            _nodes[node.Key] = (nodeRanks[node.Key], local.Count);
            foreach (var replica in local)
                _places[replica.Id] = new(ranks[replica.Id], worldSize, nodeRanks[node.Key], localRanks[replica.Id]);
        }
    }

    /// <summary>Returns the place of one of the replicas.</summary>
    public ReplicaPlace this[ObservedReplica replica] => _places[replica.Id];

    /// <summary>Assigns the lowest free ranks to a new replica.</summary>
    /// <param name="node">The node that it is placed on.</param>
    public ReplicaPlace Add(NodeId node)
    {
        var (rank, replicas) = _nodes.TryGetValue(node, out var known) ? known : (_nodes.Count, 0);
        _nodes[node] = (rank, replicas + 1);
        return new(_free.Dequeue(), _worldSize, rank, replicas);
    }

    private static (Dictionary<TKey, int> Ranks, Queue<int> Free) Assign<TKey, T>(IReadOnlyCollection<T> items, Func<T, TKey> keyOf, Func<T, int> rankOf, int count)
        where TKey : notnull
    {
        Dictionary<TKey, int> ranks = [];
        HashSet<int> assigned = [];
        foreach (var item in items)
        {
            if (rankOf(item) < count && assigned.Add(rankOf(item)))
                ranks[keyOf(item)] = rankOf(item);
        }

        var free = new Queue<int>(Enumerable.Range(0, count).Where(rank => !assigned.Contains(rank)));
        foreach (var item in items.Where(item => !ranks.ContainsKey(keyOf(item))).OrderBy(rankOf))
            ranks[keyOf(item)] = free.Dequeue();
        return (ranks, free);
    }
}
