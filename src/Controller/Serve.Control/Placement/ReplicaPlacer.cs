using Serve.Control.Observed;
using Serve.Specs;

namespace Serve.Control.Placement;

/// <summary>
/// Places replicas on nodes with the resources for them: on the node with the fewest replicas of the same deployment, then with the fewest replicas, then
/// with the lowest id. Keeps the resources that the current plan has assigned.
/// </summary>
internal sealed class ReplicaPlacer
{
    private readonly List<NodeCapacity> _nodes;

    public ReplicaPlacer(ObservedState observed)
    {
        var replicas = observed.Replicas.Values.ToLookup(replica => replica.Node);
        _nodes = [.. observed.Nodes.Values
            .Where(node => node.Phase == NodePhase.Ready)
            .Select(node => new NodeCapacity(node, [.. replicas[node.Id]]))];
    }

    private ReplicaPlacer(List<NodeCapacity> nodes) => _nodes = nodes;

    /// <summary>Returns a copy whose placements do not change this one.</summary>
    public ReplicaPlacer Copy() => new([.. _nodes.Select(node => node.Copy())]);

    /// <summary>Assigns the resources of one replica.</summary>
    /// <returns>The node; null if no node has the resources now.</returns>
    public NodeId? TryPlace(DeploymentId deployment, ResourceAmounts demand, IReadOnlySet<NodeId> excluded)
    {
        NodeCapacity? best = null;
        foreach (var node in _nodes)
        {
            if (!excluded.Contains(node.Id) && node.Fits(demand) && (best is null || node.Load(deployment).CompareTo(best.Load(deployment)) < 0))
                best = node;
        }

        best?.Assign(deployment, demand);
        return best?.Id;
    }

    /// <summary>Assigns the resources of one replica, or of all replicas of a gang.</summary>
    /// <returns>A node for each replica; null if the nodes do not have the resources for all now.</returns>
    public IReadOnlyList<NodeId>? TryPlace(DeploymentId deployment, ResourceAmounts demand, IReadOnlySet<NodeId> excluded, GangSchedulingSpec? gang, out string? shortage)
    {
        shortage = null;
        var trial = gang is null ? this : Copy();
        List<NodeId> nodes = [];
        for (var rank = 0; rank < (gang?.GangSize ?? 1); rank++)
        {
            var node = gang is { GangPlacementStrategy: GangPlacementStrategy.Pack } ? trial.TryPack(deployment, demand, excluded, nodes, gang.GangSize - rank) : trial.TryPlace(deployment, demand, excluded);
            if (node is not { } id)
            {
                shortage = trial.DescribeShortage(demand);
                return null;
            }

            nodes.Add(id);
        }

        if (gang is not null)
        {
            foreach (var node in nodes)
                Place(node, deployment, demand);
        }

        return nodes;
    }

    // On the node of the previous replica while it has the resources, then on the node that can host the most of the remaining replicas.
    private NodeId? TryPack(DeploymentId deployment, ResourceAmounts demand, IReadOnlySet<NodeId> excluded, List<NodeId> nodes, int remaining)
    {
        var node = nodes.Count > 0 && Find(nodes[^1]) is { } previous && previous.Fits(demand) ? previous
            : _nodes.Where(node => !excluded.Contains(node.Id) && node.Fits(demand)).OrderByDescending(node => node.CountFitting(demand, remaining)).ThenBy(node => node.Load(deployment)).FirstOrDefault();
        node?.Assign(deployment, demand);
        return node?.Id;
    }

    /// <summary>Assigns the resources of one replica on a given node, whether or not it has them. Does nothing if no replicas can be placed there.</summary>
    public void Place(NodeId node, DeploymentId deployment, ResourceAmounts demand) => Find(node)?.Assign(deployment, demand);

    /// <summary>Returns the resources of a replica to its node.</summary>
    public void Release(ObservedReplica replica) => Find(replica.Node)?.Release(replica);

    /// <summary>Describes why no node has the resources now.</summary>
    public string DescribeShortage(ResourceAmounts demand)
    {
        if (_nodes.Count == 0)
            return "waiting for a node that is ready";
        var closest = _nodes.Where(node => !node.Fits(demand)).Select(node => node.Free!).MinBy(demand.CountShortages);
        return closest is null ? "waiting for resources" : $"waiting for resources: {demand.DescribeShortage(closest, "free")}";
    }

    private NodeCapacity? Find(NodeId id) => _nodes.Find(node => node.Id == id);

    /// <summary>The free resources of one node and its number of replicas by deployment.</summary>
    private sealed class NodeCapacity
    {
        private readonly Dictionary<DeploymentId, int> _replicas;
        private int _total;

        public NodeCapacity(NodeView node, IReadOnlyList<ObservedReplica> replicas)
        {
            Id = node.Id;
            _replicas = replicas.CountBy(replica => replica.Id.Deployment).ToDictionary();
            _total = replicas.Count;

            // The node's report may not include the replicas whose start is in flight.
            var reserved = replicas.Aggregate(ResourceAmounts.None, (sum, replica) => sum.Plus(replica.Demand)).Max(node.Reserved);
            Free = node.Total?.Minus(reserved);
        }

        private NodeCapacity(NodeCapacity other) => (Id, Free, _replicas, _total) = (other.Id, other.Free, new(other._replicas), other._total);

        public NodeId Id { get; }

        /// <summary>Free resources; null if they are unlimited.</summary>
        public ResourceAmounts? Free { get; private set; }

        public NodeCapacity Copy() => new(this);

        public bool Fits(ResourceAmounts demand) => Free is null || demand.FitsIn(Free);

        /// <summary>Returns the number of replicas that it can host, up to a limit.</summary>
        public int CountFitting(ResourceAmounts demand, int limit)
        {
            var (free, count) = (Free, 0);
            while (count < limit && (free is null || demand.FitsIn(free)))
                (free, count) = (free?.Minus(demand), count + 1);
            return count;
        }

        public (int OfDeployment, int Total) Load(DeploymentId deployment) => (_replicas.GetValueOrDefault(deployment), _total);

        public void Assign(DeploymentId deployment, ResourceAmounts demand)
        {
            Free = Free?.Minus(demand);
            _replicas[deployment] = _replicas.GetValueOrDefault(deployment) + 1;
            _total++;
        }

        public void Release(ObservedReplica replica)
        {
            Free = Free?.Plus(replica.Demand);
            _replicas[replica.Id.Deployment]--;
            _total--;
        }
    }
}
