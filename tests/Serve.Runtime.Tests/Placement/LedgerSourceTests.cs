using System.Collections.Immutable;
using Serve.Runtime.Placement;

namespace Serve.Runtime.Tests.Placement;

public sealed class LedgerSourceTests
{
    private readonly ResourceLedger first = new(Cpus(4));
    private readonly ResourceLedger second = new(Cpus(4));
    private readonly LedgerSource source;
    private readonly PlacementTable table;

    public LedgerSourceTests()
    {
        ClusterNode[] nodes = [new("a", first), new("b", second)];
        source = new(nodes);
        table = new(nodes, TimeProvider.System);
    }

    [Fact]
    public void LedgersFor_Default_IsEveryNodeAndAllocatesNothing()
    {
        Assert.Equal([first, second], source.LedgersFor(null));
        Assert.Same(source.LedgersFor(null), source.LedgersFor(null));
    }

    [Fact]
    public void LedgersFor_Spread_EmptiestFirst()
    {
        first.Reserve(Cpus(1));
        Assert.Equal([second, first], source.LedgersFor(SchedulingStrategy.Spread));
    }

    [Fact]
    public void LedgersFor_NodeAffinity_IsThatNode() =>
        Assert.Equal([second], source.LedgersFor(new SchedulingStrategy.NodeAffinity("b")));

    [Fact]
    public void LedgersFor_NodeThatIsNotThere_HardFailsAndSoftRunsElsewhere()
    {
        var refused = Assert.Throws<InsufficientResourcesException>(() => source.LedgersFor(new SchedulingStrategy.NodeAffinity("c")));
        Assert.True(refused.IsPermanent);
        Assert.Contains("Node 'c' was asked for", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'a', 'b'", refused.Message, StringComparison.Ordinal);
        Assert.Equal([first, second], source.LedgersFor(new SchedulingStrategy.NodeAffinity("c", Soft: true)));
    }

    [Fact]
    public void LedgersFor_Group_IsTheBundleOrAnyThatIsLargeEnough()
    {
        var group = table.Create([new() { Cpus = 1 }, new() { Cpus = 3 }], PlacementStrategy.Pack, "g");
        Assert.Equal([group.Ledgers[1]], source.LedgersFor(group.Bundle(1), Cpus(2)));
        Assert.Equal([group.Ledgers[1]], source.LedgersFor(group.Bundle(1), Cpus(1)));
        Assert.Equal(group.Ledgers, source.LedgersFor(group.Bundle(), Cpus(1)));
        Assert.Equal([group.Ledgers[1]], source.LedgersFor(group.Bundle(), Cpus(2)));
        var refused = Assert.Throws<InsufficientResourcesException>(() => source.LedgersFor(group.Bundle(), Cpus(4)));
        Assert.True(refused.IsPermanent);
        Assert.Contains("placement group 'g', and none of its 2 bundles has so much", refused.Message, StringComparison.Ordinal);
        Assert.Contains("has 2: 0 to 1", Assert.Throws<InsufficientResourcesException>(() => source.LedgersFor(group.Bundle(2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LedgersFor_GroupThatIsGone_SaysSo()
    {
        var group = table.Create([new() { Cpus = 1 }], PlacementStrategy.Pack, null);
        await group.DisposeAsync();
        Assert.Contains("was disposed", Assert.Throws<InsufficientResourcesException>(() => source.LedgersFor(group.Bundle())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LedgersFor_MoreThanAnyNodeHas_IsPermanent()
    {
        Assert.True(Assert.Throws<InsufficientResourcesException>(() => source.LedgersFor(null, Cpus(5))).IsPermanent);
        await using var cluster = await Cluster.Init(new() { NumCpus = 2, Resources = new Dictionary<string, double> { ["licence"] = 1.5 }.ToImmutableDictionary() });
        Assert.Equal(2, cluster.Resources["CPU"]);
        Assert.Equal(1.5, cluster.AvailableResources["licence"]);
        await using (cluster.CreatePlacementGroup([new() { Cpus = 1.5 }]))
            Assert.Equal(0.5, cluster.AvailableResources["CPU"]);
        Assert.Equal(2, cluster.AvailableResources["CPU"]);
    }

    private static ResourceDemand Cpus(double amount) => ResourceDemand.None.With(ResourceDemand.Cpu, amount);
}
