namespace Serve.Runtime.Placement;

/// <summary>A placement group and the ledgers of its bundles. Written by <see cref="PlacementTable"/> under its lock.</summary>
internal sealed class ReservedGroup : PlacementGroup
{
    private readonly PlacementTable table;
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isRemoved;

    public ReservedGroup(PlacementTable table, string id, string? name, PlacementStrategy strategy, IReadOnlyList<Bundle> bundles, IReadOnlyList<ResourceDemand> demands)
    {
        this.table = table;
        Id = id;
        Name = name;
        Strategy = strategy;
        Bundles = bundles;
        Demands = demands;
        Ledgers = [.. demands.Select(demand => ResourceLedger.Closed(demand, $"{this} waits for its resources."))];
        Held = new ResourceAllocation?[demands.Count];
        Nodes = new ClusterNode?[demands.Count];
    }

    public override string Id { get; }

    public override string? Name { get; }

    public override PlacementStrategy Strategy { get; }

    public override IReadOnlyList<Bundle> Bundles { get; }

    public override Task Ready => ready.Task;

    public IReadOnlyList<ResourceDemand> Demands { get; }

    /// <summary>One for each bundle; closed until the group is reserved.</summary>
    public ResourceLedger[] Ledgers { get; }

    /// <summary>What each bundle holds of its node.</summary>
    public ResourceAllocation?[] Held { get; }

    /// <summary>The node each bundle lies on.</summary>
    public ClusterNode?[] Nodes { get; }

    public bool IsRemoved => isRemoved;

    /// <summary>Completes when its nodes have everything back.</summary>
    public TaskCompletionSource Emptied { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string ToString() => Name is null ? $"placement group {Id}" : $"placement group '{Name}'";

    public override ValueTask DisposeAsync() => table.RemoveAsync(this);

    /// <summary>Lets work in.</summary>
    public void Open()
    {
        for (var bundle = 0; bundle < Ledgers.Length; bundle++)
            Ledgers[bundle].Open(Held[bundle]!);
        ready.TrySetResult();
    }

    public void Remove() => isRemoved = true;

    /// <summary>Lets nothing in any more.</summary>
    public void Close()
    {
        foreach (var ledger in Ledgers)
            ledger.Close($"{this} was disposed; nothing can run in it any more.");
        ready.TrySetCanceled();
    }
}
