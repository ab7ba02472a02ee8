using System.Collections.Immutable;

namespace Serve.Runtime.Placement;

/// <summary>
/// Decides where the bundles of a group lie: bundles, nodes and strategy in, decision out. Packing is searched exhaustively up to a number of
/// steps, beyond which a decision may use more (PACK) or fewer (SPREAD) nodes than the best would, but never one that does not fit. Holds no state.
/// </summary>
internal static class BundlePlacementPlanner
{
    public static BundlePlacementDecision Decide(IReadOnlyList<ResourceDemand> bundles, IReadOnlyList<NodeResourceSnapshot> nodes, PlacementStrategy strategy)
    {
        if (bundles.FirstOrDefault(IsBrokenGpu) is { } broken)
            return new BundlePlacementDecision.Impossible($"A bundle of {broken} was asked for; above one, GPUs are whole.");
        if (Assign(bundles, [.. nodes.Select(node => node.Free)], strategy, out _) is { } now)
            return new BundlePlacementDecision.Place(now);
        return Assign(bundles, [.. nodes.Select(node => node.Total)], strategy, out var isUnsure) is not null || isUnsure
            ? new BundlePlacementDecision.Wait()
            : new BundlePlacementDecision.Impossible(Why(bundles, nodes, strategy));
    }

    /// <summary>All of them together.</summary>
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
                // From most nodes downwards; the last asks for nothing but that it fits.
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
                return $"A bundle of {bundle} was asked for, and {(nodes.Count == 1 ? $"the one node has {nodes[0].Total}" : $"none of the {nodes.Count} nodes has so much")}.";
        }

        return strategy switch
        {
            PlacementStrategy.StrictSpread when bundles.Count > nodes.Count =>
                $"STRICT_SPREAD puts each of its {bundles.Count} bundles on a node of its own, and there {(nodes.Count == 1 ? "is 1 node" : $"are {nodes.Count} nodes")}. SPREAD shares nodes where it must.",
            PlacementStrategy.StrictSpread => $"STRICT_SPREAD puts each of its {bundles.Count} bundles on a node of its own, and not so many of the {nodes.Count} nodes are large enough.",
            _ => $"Its {bundles.Count} bundles need {Sum(bundles)} together, and " + (nodes.Count == 1 ? $"the one node has {nodes[0].Total}."
                : strategy == PlacementStrategy.StrictPack ? "STRICT_PACK puts them on one node: none has so much." : $"they do not fit onto the {nodes.Count} nodes."),
        };
    }
}
