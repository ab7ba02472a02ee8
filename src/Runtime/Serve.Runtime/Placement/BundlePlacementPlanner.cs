using System.Collections.Immutable;

namespace Serve.Runtime.Placement;

/// <summary>
/// Decides on the nodes of a group's bundles from bundles, nodes and strategy. Assignments are searched exhaustively up to a number of steps; beyond that a
/// decision may use more (PACK) or fewer (SPREAD) nodes than the optimum, but never one that does not fit. Stateless.
/// </summary>
internal static class BundlePlacementPlanner
{
    public static BundlePlacementDecision Decide(IReadOnlyList<ResourceDemand> bundles, IReadOnlyList<NodeResourceSnapshot> nodes, PlacementStrategy strategy)
    {
        if (bundles.FirstOrDefault(IsBrokenGpu) is { } broken)
            return new BundlePlacementDecision.Impossible($"A bundle with {broken} was requested; GPU amounts above 1 must be whole.");
        if (Assign(bundles, [.. nodes.Select(node => node.Free)], strategy, out _) is { } now)
            return new BundlePlacementDecision.Place(now);
        return Assign(bundles, [.. nodes.Select(node => node.Total)], strategy, out var isUnsure) is not null || isUnsure
            ? new BundlePlacementDecision.Wait()
            : new BundlePlacementDecision.Impossible(Why(bundles, nodes, strategy));
    }

    /// <summary>Sum of the demands of all bundles.</summary>
    public static ResourceDemand Sum(IEnumerable<ResourceDemand> bundles) => new()
    {
        Units = bundles.SelectMany(bundle => bundle.Units).GroupBy(unit => unit.Key, StringComparer.Ordinal)
            .ToImmutableSortedDictionary(group => group.Key, group => group.Sum(unit => unit.Value), StringComparer.Ordinal),
    };

    private static bool IsBrokenGpu(ResourceDemand bundle) =>
        bundle.Units.GetValueOrDefault(ResourceDemand.Gpu) is > ResourceDemand.UnitsPerOne and var units && units % ResourceDemand.UnitsPerOne != 0;

    private static ImmutableArray<int>? Assign(IReadOnlyList<ResourceDemand> bundles, ResourceDemand[] free, PlacementStrategy strategy, out bool isUnsure)
    {
        isUnsure = false;
        var count = bundles.Count;
        var most = Math.Min(count, free.Length);
        var search = new BundlePlacementSearch(bundles, free);
        switch (strategy)
        {
            case PlacementStrategy.StrictPack:
                return search.Find(1, 1, out isUnsure);
            case PlacementStrategy.StrictSpread:
                return count > free.Length ? null : search.FindOnDistinctNodes();
            case PlacementStrategy.Spread:
                // From most nodes downwards; the last search only requires that the bundles fit.
                for (var least = most; least >= 1; least--)
                {
                    if (search.Find(least, most, out isUnsure) is { } spread)
                        return spread;
                }

                return null;
            default:
                for (var limit = 1; limit <= most; limit++)
                {
                    if (search.Find(1, limit, out isUnsure) is { } packed)
                        return packed;
                }

                return null;
        }
    }

    private static string Why(IReadOnlyList<ResourceDemand> bundles, IReadOnlyList<NodeResourceSnapshot> nodes, PlacementStrategy strategy)
    {
        foreach (var bundle in bundles)
        {
            if (!nodes.Any(node => BundlePlacementSearch.Fits(bundle, node.Total)))
                return $"A bundle of {bundle} was requested, but {(nodes.Count == 1 ? $"the only node has {nodes[0].Total}" : $"none of the {nodes.Count} nodes has enough")}.";
        }

        return strategy switch
        {
            PlacementStrategy.StrictSpread when bundles.Count > nodes.Count =>
                $"STRICT_SPREAD needs a distinct node for each of its {bundles.Count} bundles, but there {(nodes.Count == 1 ? "is 1 node" : $"are {nodes.Count} nodes")}. SPREAD shares nodes if necessary.",
            PlacementStrategy.StrictSpread => $"STRICT_SPREAD needs a distinct node for each of its {bundles.Count} bundles, but fewer of the {nodes.Count} nodes are large enough.",
            _ => $"Its {bundles.Count} bundles need {Sum(bundles)} together, but " + (nodes.Count == 1 ? $"the only node has {nodes[0].Total}."
                : strategy == PlacementStrategy.StrictPack ? "STRICT_PACK needs one node for all of them, and no node has enough." : $"they do not fit on the {nodes.Count} nodes."),
        };
    }
}
