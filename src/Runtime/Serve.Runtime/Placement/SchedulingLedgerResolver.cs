namespace Serve.Runtime.Placement;

/// <summary>Turns a scheduling strategy into the ledgers that may serve it. Holds no state of its own.</summary>
internal sealed class SchedulingLedgerResolver(PlacementNode[] nodes)
{
    private readonly ResourceLedger[] _all = LedgersOf(nodes);

    /// <summary>The ledgers that may serve it, best first; more than one when any bundle of a group will do. Allocates nothing when there is no strategy.</summary>
    /// <exception cref="InsufficientResourcesException">None can ever: the group is gone, the node does not exist.</exception>
    public ResourceLedger[] GetLedgers(SchedulingStrategy? strategy) => strategy is null ? _all : ResolveStrategy(strategy);

    /// <summary>Those of them that could ever serve so much, so that a bundle that is too small is not asked.</summary>
    /// <exception cref="InsufficientResourcesException">None can ever.</exception>
    public ResourceLedger[] GetLedgers(SchedulingStrategy? strategy, ResourceDemand demand)
    {
        var ledgers = GetLedgers(strategy);
        if (AllCan(ledgers, demand))
            return ledgers;
        return AbleOf(strategy, ledgers, demand);
    }

    private static ResourceLedger[] AbleOf(SchedulingStrategy? strategy, ResourceLedger[] ledgers, ResourceDemand demand)
    {
        var able = ledgers.Where(ledger => ledger.CanEverReserve(demand)).ToArray();
        return able.Length > 0 ? able : throw new InsufficientResourcesException(WhyNone(strategy, ledgers, demand), isPermanent: true);
    }

    private static ResourceLedger[] LedgersOf(PlacementNode[] nodes)
    {
        var ledgers = new ResourceLedger[nodes.Length];
        for (var index = 0; index < ledgers.Length; index++)
            ledgers[index] = nodes[index].Ledger;
        return ledgers;
    }

    private static bool AllCan(ResourceLedger[] ledgers, ResourceDemand demand)
    {
        foreach (var ledger in ledgers)
        {
            if (!ledger.CanEverReserve(demand))
                return false;
        }

        return true;
    }

    private static string WhyNone(SchedulingStrategy? strategy, ResourceLedger[] ledgers, ResourceDemand demand)
    {
        if (strategy is SchedulingStrategy.InGroup { Group: var group, Bundle: var index })
        {
            var which = index >= 0 ? $"bundle {index} of it has {ledgers[0].Total}" : $"none of its {ledgers.Length} bundles has so much";
            return $"{demand} was asked for in {group}, and {which}. It can never run there: ask for less, or make the bundle larger.";
        }

        try
        {
            ledgers[0].TryReserve(demand, out var taken);
            if (taken is not null)
                ledgers[0].Release(taken);
            return $"{demand} was asked for, and no node has so much.";
        }
        catch (InsufficientResourcesException refused)
        {
            return refused.Message;
        }
    }

    private static ResourceLedger[] OfGroup(SchedulingStrategy.InGroup within)
    {
        if (within.Group is not ReservedPlacementGroup group)
            throw new ArgumentException("The placement group is not one of this cluster.");
        if (within.Bundle >= group.Bundles.Count || within.Bundle < -1)
        {
            throw new InsufficientResourcesException(
                $"Bundle {within.Bundle} of {group} was asked for, and it has {group.Bundles.Count}: 0 to {group.Bundles.Count - 1}, or -1 for any.", isPermanent: true);
        }

        if (group.RemovedBecause is { } because)
            throw new InsufficientResourcesException(because, isPermanent: true);
        return within.Bundle < 0 ? group.Ledgers : [group.Ledgers[within.Bundle]];
    }

    private static double FreeShare(ResourceLedger ledger)
    {
        var (total, reserved) = ledger.Snapshot;
        return total.Units.Where(unit => unit.Value > 0).Select(unit => 1 - ((double)reserved.Units.GetValueOrDefault(unit.Key) / unit.Value)).DefaultIfEmpty(0).Min();
    }

    private ResourceLedger[] ResolveStrategy(SchedulingStrategy strategy) => strategy switch
    {
        SchedulingStrategy.NodeAffinity affinity => OfNode(affinity),
        SchedulingStrategy.InGroup within => OfGroup(within),
        _ => _all.Length == 1 ? _all : [.. _all.OrderByDescending(FreeShare)],
    };

    private ResourceLedger[] OfNode(SchedulingStrategy.NodeAffinity affinity)
    {
        foreach (var node in nodes)
        {
            if (node.Id == affinity.NodeId)
                return nodes.Length == 1 ? _all : [node.Ledger];
        }

        return affinity.Soft
            ? _all
            : throw new InsufficientResourcesException(
                $"Node '{affinity.NodeId}' was asked for, and there is none of that name; there is '{string.Join("', '", nodes.Select(node => node.Id))}'. Soft affinity runs elsewhere then.", isPermanent: true);
    }
}
