using Serve.Runtime.Execution;

namespace Serve.Runtime.Placement;

/// <summary>Nodes of a cluster with a resource ledger each; the driver's own node is the first. Immutable snapshots, replaced under a lock when nodes join or leave.</summary>
public sealed class PlacementNodeSet
{
    private readonly Lock _sync = new();
    private volatile Snapshot _snapshot;

    /// <summary>Creates a set.</summary>
    /// <param name="nodes">Nodes; the driver's own first.</param>
    public PlacementNodeSet(params PlacementNode[] nodes) => _snapshot = new(nodes, LedgersOf(nodes));

    /// <summary>Raised after a node has joined or left, outside of the lock.</summary>
    public event Action? Changed;

    /// <summary>Nodes; the driver's own first. Must not be modified.</summary>
    public PlacementNode[] Current => _snapshot.Nodes;

    /// <summary>Ledgers of the nodes, in the same order. Must not be modified.</summary>
    public ResourceLedger[] Ledgers => _snapshot.Ledgers;

    /// <summary>Whether a ledger is that of the driver's own node or of a bundle there, or of a bundle that is not reserved.</summary>
    public bool IsLocal(ResourceLedger ledger) => ledger.NodeId is not { } id || id == Current[0].Id;

    public PlacementNode? Find(string? id)
    {
        foreach (var node in Current)
        {
            if (node.Id == id)
                return node;
        }

        return null;
    }

    /// <summary>Adds a node: waiting tasks and placement groups may use its resources from now on.</summary>
    /// <exception cref="ArgumentException">A node of this id is a member.</exception>
    public void Join(PlacementNode node)
    {
        lock (_sync)
        {
            if (Find(node.Id) is not null)
                throw new ArgumentException($"Node id must be unique, but '{node.Id}' is a member already.", nameof(node));
            Replace([.. Current, node]);
        }

        Changed?.Invoke();

        // Actors that wait for other nodes may be placed on this one.
        foreach (var ledger in Ledgers)
            ledger.NotifyWaiters();
    }

    /// <summary>Removes a node. Its ledger grants nothing any more; the executor of its workers fails the attempts that run there.</summary>
    public void Leave(string id)
    {
        PlacementNode? node;
        lock (_sync)
        {
            node = Find(id);
            if (node is null)
                return;
            Replace(Array.FindAll(Current, other => other != node));
        }

        node.Ledger.Close($"Node '{id}' has left the cluster.");
        Changed?.Invoke();
    }

    private void Replace(PlacementNode[] nodes) => _snapshot = new(nodes, LedgersOf(nodes));

    private static ResourceLedger[] LedgersOf(PlacementNode[] nodes)
    {
        foreach (var node in nodes)
            node.Ledger.NodeId = node.Id;
        return Array.ConvertAll(nodes, static node => node.Ledger);
    }

    private sealed record Snapshot(PlacementNode[] Nodes, ResourceLedger[] Ledgers);
}

/// <summary>Node with its resource ledger, as seen by placement.</summary>
/// <param name="Id">Node id; the single node of a local cluster is <see cref="OnlyId"/>.</param>
/// <param name="Ledger">Resources of the node that the cluster may use: all of the driver's own node, the granted share of another one.</param>
/// <param name="Workers">The node's workers; null for the driver's own node.</param>
public sealed record PlacementNode(string Id, ResourceLedger Ledger, IClusterWorkers? Workers = null)
{
    public const string OnlyId = "node";
}
