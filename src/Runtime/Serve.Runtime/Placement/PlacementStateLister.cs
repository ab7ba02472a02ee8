using System.Collections.Immutable;

namespace Serve.Runtime.Placement;

/// <summary>Public state of nodes and placement groups.</summary>
internal static class PlacementStateLister
{
    public static IReadOnlyList<NodeState> Nodes(PlacementGroupTable table) =>
    [
        .. table.Nodes.Select((node, index) =>
        {
            var (total, reserved) = node.Ledger.Snapshot;
            return new NodeState
            {
                NodeId = node.Id,
                IsHeadNode = index == 0,
                ResourcesTotal = Amounts(total.Units, _ => 0),
                ResourcesAvailable = Amounts(total.Units, resource => reserved.Units.GetValueOrDefault(resource)),
            };
        }),
    ];

    public static IReadOnlyList<PlacementGroupState> Groups(PlacementGroupTable table) =>
    [
        .. table.Groups.Select(group => new PlacementGroupState
        {
            PlacementGroupId = group.Id,
            Name = group.Name,
            State = group.IsRemoved ? "REMOVED" : !group.IsReserved ? "PENDING" : group.Nodes.Contains(null) ? "RESCHEDULING" : "CREATED",
            Strategy = group.Strategy,
            Bundles = [.. group.Bundles],
            Nodes = group.IsReserved ? [.. group.Nodes.Select(node => node?.Id ?? "")] : [],
        }),
    ];

    private static ImmutableSortedDictionary<string, double> Amounts(IEnumerable<KeyValuePair<string, long>> units, Func<string, long> less) =>
        units.ToImmutableSortedDictionary(unit => unit.Key, unit => (double)(unit.Value - less(unit.Key)) / ResourceDemand.UnitsPerOne, StringComparer.Ordinal);
}
