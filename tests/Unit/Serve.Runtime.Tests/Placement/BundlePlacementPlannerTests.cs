using CsCheck;
using Serve.Runtime.Placement;

namespace Serve.Runtime.Tests.Placement;

public sealed class BundlePlacementPlannerTests
{
    private static readonly Gen<ResourceDemand> Bundles = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], Gen.Int[0, 1], Demand)
        .Where(demand => demand.Units.Count > 0);

    private static readonly Gen<ResourceDemand> Totals = Gen.Select(Gen.Int[0, 6], Gen.Int[0, 3], Gen.Int[0, 2], Demand);

    private static readonly Gen<NodeResourceSnapshot> Nodes = Gen.Select(Totals, Totals, (one, other) => new NodeResourceSnapshot(Larger(one, other), Smaller(one, other)));

    private static readonly Gen<PlacementStrategy> Strategies =
        Gen.Enum<PlacementStrategy>();

    [Fact]
    public void Decide_SmallCase_MatchesBruteForceOptimum() =>
        Gen.Select(Bundles.Array[1, 4], Nodes.Array[1, 4], Strategies).Sample((bundles, nodes, strategy) =>
        {
            var now = Every(bundles, [.. nodes.Select(node => node.Free)], strategy).ToArray();
            var ever = Every(bundles, [.. nodes.Select(node => node.Total)], strategy).ToArray();
            switch (BundlePlacementPlanner.Decide(bundles, nodes, strategy))
            {
                case BundlePlacementDecision.Place place:
                    Assert.Contains(now, assignment => assignment.SequenceEqual(place.NodeOf));
                    var used = now.Select(assignment => assignment.Distinct().Count()).ToArray();
                    if (strategy == PlacementStrategy.Pack)
                        Assert.Equal(used.Min(), place.NodeOf.Distinct().Count());
                    if (strategy == PlacementStrategy.Spread)
                        Assert.Equal(used.Max(), place.NodeOf.Distinct().Count());
                    break;
                case BundlePlacementDecision.Wait:
                    Assert.Empty(now);
                    Assert.NotEmpty(ever);
                    break;
                case BundlePlacementDecision.Impossible impossible:
                    Assert.Empty(ever);
                    Assert.NotEmpty(impossible.Because);
                    break;
            }
        }, iter: 3_000);

    [Fact]
    public void Decide_LargeCase_NeverOvercommitsOrViolatesStrictness() =>
        Gen.Select(Bundles.Array[1, 40], Nodes.Array[1, 20], Strategies).Sample((bundles, nodes, strategy) =>
        {
            if (BundlePlacementPlanner.Decide(bundles, nodes, strategy) is not BundlePlacementDecision.Place place)
                return;
            AssertFits(bundles, [.. nodes.Select(node => node.Free)], [.. place.NodeOf]);
            if (strategy == PlacementStrategy.StrictPack)
                Assert.Single(place.NodeOf.Distinct());
            if (strategy == PlacementStrategy.StrictSpread)
                Assert.Equal(bundles.Length, place.NodeOf.Distinct().Count());
        }, iter: 1_000);

    [Theory]
    [InlineData(PlacementStrategy.StrictSpread, 2, "STRICT_SPREAD needs a distinct node for each of its 2 bundles, but there is 1 node. SPREAD shares nodes if necessary.")]
    [InlineData(PlacementStrategy.StrictPack, 5, "Its 5 bundles need CPU 5 together, but the only node has CPU 4.")]
    [InlineData(PlacementStrategy.Pack, 5, "Its 5 bundles need CPU 5 together, but the only node has CPU 4.")]
    public void Decide_ImpossibleOnOneNode_ReturnsReason(PlacementStrategy strategy, int count, string because)
    {
        var node = Demand(4, 0, 0);
        var decision = BundlePlacementPlanner.Decide([.. Enumerable.Repeat(Demand(1, 0, 0), count)], [new(node, node)], strategy);
        Assert.Equal(because, Assert.IsType<BundlePlacementDecision.Impossible>(decision).Because);
    }

    [Fact]
    public void Decide_BundleLargerThanAnyNode_ReasonNamesBundle()
    {
        var node = Demand(4, 0, 0);
        var decision = BundlePlacementPlanner.Decide([Demand(1, 1, 0)], [new(node, node)], PlacementStrategy.Spread);
        Assert.Equal("A bundle of CPU 1, GPU 1 was requested, but the only node has CPU 4.", Assert.IsType<BundlePlacementDecision.Impossible>(decision).Because);
    }

    private static ResourceDemand Demand(int cpus, int gpus, int licences) =>
        ResourceDemand.None.With(ResourceDemand.Cpu, cpus).With(ResourceDemand.Gpu, gpus).With("licence", licences);

    private static ResourceDemand Larger(ResourceDemand one, ResourceDemand other) => Merge(one, other, Math.Max);

    private static ResourceDemand Smaller(ResourceDemand one, ResourceDemand other) => Merge(one, other, Math.Min);

    private static ResourceDemand Merge(ResourceDemand one, ResourceDemand other, Func<double, double, double> choose) =>
        one.Units.Keys.Union(other.Units.Keys).Aggregate(ResourceDemand.None, (merged, resource) => merged.With(
            resource, choose(one.Units.GetValueOrDefault(resource), other.Units.GetValueOrDefault(resource)) / ResourceDemand.UnitsPerOne));

    private static IEnumerable<int[]> Every(ResourceDemand[] bundles, ResourceDemand[] free, PlacementStrategy strategy)
    {
        var count = (int)Math.Pow(free.Length, bundles.Length);
        for (var number = 0; number < count; number++)
        {
            var assignment = new int[bundles.Length];
            for (var (bundle, rest) = (0, number); bundle < bundles.Length; bundle++, rest /= free.Length)
                assignment[bundle] = rest % free.Length;
            var used = assignment.Distinct().Count();
            var isAllowed = strategy switch
            {
                PlacementStrategy.StrictPack => used == 1,
                PlacementStrategy.StrictSpread => used == bundles.Length,
                _ => true,
            };
            if (isAllowed && Fits(bundles, free, assignment))
                yield return assignment;
        }
    }

    private static void AssertFits(ResourceDemand[] bundles, ResourceDemand[] free, int[] assignment) => Assert.True(Fits(bundles, free, assignment));

    private static bool Fits(ResourceDemand[] bundles, ResourceDemand[] free, int[] assignment) =>
        Enumerable.Range(0, free.Length).All(node => bundles
            .Where((_, bundle) => assignment[bundle] == node)
            .SelectMany(bundle => bundle.Units)
            .GroupBy(unit => unit.Key)
            .All(group => group.Sum(unit => unit.Value) <= free[node].Units.GetValueOrDefault(group.Key)));
}
