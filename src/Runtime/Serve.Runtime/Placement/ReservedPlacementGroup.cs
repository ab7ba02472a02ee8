using Serve.Runtime.Tasks;

namespace Serve.Runtime.Placement;

/// <summary>A placement group and the ledgers of its bundles. Written by <see cref="PlacementGroupTable"/> under its lock.</summary>
internal sealed class ReservedPlacementGroup : PlacementGroup, IObjectProducer
{
    private readonly PlacementGroupTable _table;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _removedBecause;

    public ReservedPlacementGroup(PlacementGroupTable table, string id, string? name, PlacementStrategy strategy, IReadOnlyList<Bundle> bundles, IReadOnlyList<ResourceDemand> demands)
    {
        this._table = table;
        Id = id;
        Name = name;
        Strategy = strategy;
        Bundles = bundles;
        Demands = demands;
        Ledgers = [.. demands.Select(demand => ResourceLedger.Closed(demand, $"{this} waits for its resources."))];
        Held = new ResourceAllocation?[demands.Count];
        Nodes = new PlacementNode?[demands.Count];
        if (table.Head is { } cluster)
            Reserved = [new ObjectRef<bool>(cluster, cluster.NextId()) { Producer = this }];
    }

    public override string Id { get; }

    public override string? Name { get; }

    public override PlacementStrategy Strategy { get; }

    public override IReadOnlyList<Bundle> Bundles { get; }

    public override Task Ready => PlacementGroupWait.Begin(_ready.Task, Reserved, group: null);

    /// <summary>Whether it holds its resources, or did.</summary>
    public bool IsReserved => _ready.Task.IsCompletedSuccessfully;

    /// <summary>What stands for it where tasks that wait for each other are looked for: ready when it is reserved, or never will be. None where nobody looks.</summary>
    public IReadOnlyList<ObjectRef> Reserved { get; } = [];

    /// <summary>For what cannot go on before it is reserved.</summary>
    public ObjectDependency Need => new ObjectRefDependency(this, Reserved, Reserved.Count);

    public IReadOnlyList<ResourceDemand> Demands { get; }

    /// <summary>One for each bundle; closed until the group is reserved.</summary>
    public ResourceLedger[] Ledgers { get; }

    /// <summary>What each bundle holds of its node.</summary>
    public ResourceAllocation?[] Held { get; }

    /// <summary>The node each bundle lies on.</summary>
    public PlacementNode?[] Nodes { get; }

    public bool IsRemoved => _removedBecause is not null;

    /// <summary>Why nothing can run in it any more; null as long as it can, or soon can.</summary>
    public string? RemovedBecause => _removedBecause;

    string IObjectProducer.Label => ToString();

    /// <summary>Completes when its nodes have everything back.</summary>
    public TaskCompletionSource Emptied { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string ToString() => Name is null ? $"placement group {Id}" : $"placement group '{Name}'";

    public override ValueTask DisposeAsync() => _table.RemoveAsync(this);

    /// <summary>Lets work in.</summary>
    public void Open()
    {
        for (var bundle = 0; bundle < Ledgers.Length; bundle++)
            Ledgers[bundle].Open(Held[bundle]!);
        _ready.TrySetResult();
        Tell();
    }

    /// <summary>Says that it is no more; <see cref="Close"/> follows.</summary>
    /// <param name="because">Why nothing can run in it any more. Default: it was disposed.</param>
    public void Remove(string? because = null) => _removedBecause ??= because ?? $"{this} was disposed; nothing can run in it any more.";

    /// <summary>Lets nothing in any more.</summary>
    /// <param name="failure">Why it was not reserved; null when it was disposed.</param>
    public void Close(Exception? failure = null)
    {
        foreach (var ledger in Ledgers)
            ledger.Close(_removedBecause!);
        if (failure is null)
            _ready.TrySetCanceled();
        else
            _ready.TrySetException(failure);
        Tell();
    }

    void IObjectProducer.AddDependencies(ICollection<ObjectDependency> needs) => _table.AddNeeds(this, needs);

    void IObjectProducer.Fail(Exception failure) => _table.Abandon(this, failure);

    void IObjectProducer.Cancel(bool force, bool recursive) => _ = _table.RemoveAsync(this).AsTask();

    private void Tell()
    {
        foreach (var reserved in Reserved)
            ((ObjectRef<bool>)reserved).TrySetResult(IsReserved);
    }
}
