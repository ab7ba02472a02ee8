using System.Collections.Immutable;
using Serve.Runtime.Placement;

namespace Serve.Runtime.Tests.Placement;

public sealed class SchedulingLedgerResolverTests
{
    private readonly ResourceLedger _first = new(Cpus(4));
    private readonly ResourceLedger _second = new(Cpus(4));
    private readonly SchedulingLedgerResolver _source;
    private readonly PlacementGroupTable _table;

    public SchedulingLedgerResolverTests()
    {
        var nodes = new PlacementNodeSet(new("a", _first), new("b", _second));
        _source = new(nodes);
        _table = new(nodes, TimeProvider.System);
    }

    [Fact]
    public void GetLedgers_Default_ReturnsAllNodesWithoutAllocation()
    {
        Assert.Equal([_first, _second], _source.GetLedgers(null));
        Assert.Same(_source.GetLedgers(null), _source.GetLedgers(null));
    }

    [Fact]
    public void GetLedgers_Spread_OrdersByFreeShare()
    {
        _first.Reserve(Cpus(1));
        Assert.Equal([_second, _first], _source.GetLedgers(SchedulingStrategy.Spread));
    }

    [Fact]
    public void GetLedgers_NodeAffinity_ReturnsNode() =>
        Assert.Equal([_second], _source.GetLedgers(new SchedulingStrategy.NodeAffinity("b")));

    [Fact]
    public void GetLedgers_UnknownNode_HardThrowsAndSoftFallsBack()
    {
        var refused = Assert.Throws<InsufficientResourcesException>(() => _source.GetLedgers(new SchedulingStrategy.NodeAffinity("c")));
        Assert.True(refused.IsPermanent);
        Assert.Contains("Unknown node 'c'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'a', 'b'", refused.Message, StringComparison.Ordinal);
        Assert.Equal([_first, _second], _source.GetLedgers(new SchedulingStrategy.NodeAffinity("c", Soft: true)));
    }

    [Fact]
    public void GetLedgers_Group_ReturnsBundleOrAllLargeEnough()
    {
        var group = _table.Create([new() { Cpus = 1 }, new() { Cpus = 3 }], PlacementStrategy.Pack, "g");
        Assert.Equal([group.Ledgers[1]], _source.GetLedgers(group.Bundle(1), Cpus(2)));
        Assert.Equal([group.Ledgers[1]], _source.GetLedgers(group.Bundle(1), Cpus(1)));
        Assert.Equal(group.Ledgers, _source.GetLedgers(group.Bundle(), Cpus(1)));
        Assert.Equal([group.Ledgers[1]], _source.GetLedgers(group.Bundle(), Cpus(2)));
        var refused = Assert.Throws<InsufficientResourcesException>(() => _source.GetLedgers(group.Bundle(), Cpus(4)));
        Assert.True(refused.IsPermanent);
        Assert.Contains("placement group 'g', but none of its 2 bundles has enough", refused.Message, StringComparison.Ordinal);
        Assert.Contains("between 0 and 1", Assert.Throws<InsufficientResourcesException>(() => _source.GetLedgers(group.Bundle(2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetLedgers_RemovedGroup_Throws()
    {
        var group = _table.Create([new() { Cpus = 1 }], PlacementStrategy.Pack, null);
        await group.DisposeAsync();
        Assert.Contains("has been removed", Assert.Throws<InsufficientResourcesException>(() => _source.GetLedgers(group.Bundle())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetLedgers_ImpossibleDemand_ThrowsPermanent()
    {
        Assert.True(Assert.Throws<InsufficientResourcesException>(() => _source.GetLedgers(null, Cpus(5))).IsPermanent);
        await using var cluster = await Cluster.Init(new() { NumCpus = 2, Resources = new Dictionary<string, double> { ["licence"] = 1.5 }.ToImmutableDictionary() });
        Assert.Equal(2, cluster.Resources["CPU"]);
        Assert.Equal(1.5, cluster.AvailableResources["licence"]);
        await using (cluster.CreatePlacementGroup([new() { Cpus = 1.5 }]))
            Assert.Equal(0.5, cluster.AvailableResources["CPU"]);
        Assert.Equal(2, cluster.AvailableResources["CPU"]);
    }

    private static ResourceDemand Cpus(double amount) => ResourceDemand.None.With(ResourceDemand.Cpu, amount);
}
