using Serve.Runtime.Tasks;

namespace Serve.Runtime.Placement;

/// <summary>Placement group with the resource ledgers of its bundles. Written by <see cref="PlacementGroupTable"/> under its lock.</summary>
public sealed class ReservedPlacementGroup : PlacementGroup, IObjectProducer
{
    private readonly PlacementGroupTable _table;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _removedBecause;
    private volatile ResourceLedger[] _ledgers;

    public ReservedPlacementGroup(PlacementGroupTable table, string id, string? name, PlacementStrategy strategy, IReadOnlyList<Bundle> bundles, IReadOnlyList<ResourceDemand> demands)
    {
        _table = table;
        Id = id;
        Name = name;
        Strategy = strategy;
        Bundles = bundles;
        Demands = demands;
        _ledgers = [.. demands.Select(NewLedger)];
        Held = new ResourceAllocation?[demands.Count];
        Nodes = new PlacementNode?[demands.Count];
        Reserved = table.Waits?.CreateReservation(this);
    }

    public override string Id { get; }

    public override string? Name { get; }

    public override PlacementStrategy Strategy { get; }

    public override IReadOnlyList<Bundle> Bundles { get; }

    public override Task Ready => PlacementGroupWait.Begin(_ready.Task);

    /// <summary>Whether the group holds its resources, or did.</summary>
    public bool IsReserved => _ready.Task.IsCompletedSuccessfully;

    /// <summary>Object that represents the group for the deadlock detector: ready when the group is reserved or will never be. Null if no cluster is attached.</summary>
    public ObjectRef<bool>? Reserved { get; }

    public IReadOnlyList<ResourceDemand> Demands { get; }

    /// <summary>Ledgers, one per bundle; closed until the bundle is reserved. Must not be modified.</summary>
    public ResourceLedger[] Ledgers => _ledgers;

    /// <summary>Indexes of the bundles that hold no resources: all until the group is reserved, then those that were lost with their node.</summary>
    public IEnumerable<int> MissingBundles => Enumerable.Range(0, Held.Length).Where(bundle => Held[bundle] is null);

    /// <summary>Resources that each bundle holds of its node.</summary>
    public ResourceAllocation?[] Held { get; }

    /// <summary>Node of each bundle.</summary>
    internal PlacementNode?[] Nodes { get; }

    public bool IsRemoved => _removedBecause is not null;

    /// <summary>Why no work can run in the group any more; null if it can, or may later.</summary>
    public string? RemovedBecause => _removedBecause;

    string IObjectProducer.Label => ToString();

    /// <summary>Completes when all resources have been returned to the nodes.</summary>
    public TaskCompletionSource Emptied { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string ToString() => Name is null ? $"placement group {Id}" : $"placement group '{Name}'";

    public override ValueTask DisposeAsync() => _table.RemoveAsync(this);

    /// <summary>Opens bundles for work.</summary>
    /// <param name="bundles">The ledgers of the bundles, their nodes, and the resources that they hold there.</param>
    public void Open(IEnumerable<(ResourceLedger Ledger, PlacementNode Node, ResourceAllocation Held)> bundles)
    {
        foreach (var (ledger, node, held) in bundles)
        {
            ledger.NodeId = node.Id;
            ledger.Open(held);
        }

        _ready.TrySetResult();
        Reserved?.TrySetResult(true);
    }

    /// <summary>Replaces the ledgers of bundles whose node has left. Called under the table's lock.</summary>
    /// <returns>The former ledgers, to be closed by the caller.</returns>
    public IReadOnlyList<ResourceLedger> LoseBundles(IReadOnlyCollection<int> bundles)
    {
        var former = _ledgers;
        foreach (var bundle in bundles)
            (Held[bundle], Nodes[bundle]) = (null, null);
        _ledgers = [.. former.Select((ledger, bundle) => bundles.Contains(bundle) ? NewLedger(Demands[bundle]) : ledger)];
        return [.. bundles.Select(bundle => former[bundle])];
    }

    /// <summary>Marks the group as removed; <see cref="Close"/> follows.</summary>
    public void Remove() => _removedBecause ??= $"{this} has been removed; no work can run in it.";

    /// <summary>Closes the group for further work.</summary>
    public void Close()
    {
        foreach (var ledger in Ledgers)
            ledger.Close(_removedBecause!);
        _ready.TrySetCanceled();
        Reserved?.TrySetResult(false);
    }

    /// <summary>Adds the reservation as a dependency of work in the group.</summary>
    public void AddTo(ICollection<ObjectDependency> dependencies)
    {
        if (Reserved is { } reserved)
            dependencies.Add(new(reserved, this));
    }

    private ResourceLedger NewLedger(ResourceDemand demand) => ResourceLedger.Closed(demand, $"{this} waits for its resources.");

    void IObjectProducer.AddDependencies(ICollection<ObjectDependency> dependencies) => _table.AddDependencies(this, dependencies);

    // No code awaits the reservation itself, so the detector never fails it.
    void IObjectProducer.Fail(Exception failure) => throw new NotSupportedException();

    void IObjectProducer.Cancel(bool force, bool recursive) => _ = _table.RemoveAsync(this).AsTask();
}
