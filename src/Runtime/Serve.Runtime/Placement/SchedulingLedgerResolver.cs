namespace Serve.Runtime.Placement;

/// <summary>Resolves the resource ledgers that may serve a scheduling strategy. Stateless.</summary>
internal sealed class SchedulingLedgerResolver(PlacementNodeSet nodes)
{
    /// <summary>Returns the candidate ledgers, best first; several if any bundle of a group or any node will do. Does not allocate without a strategy.</summary>
    /// <exception cref="InsufficientResourcesException">The group was removed, or the node does not exist.</exception>
    public ResourceLedger[] GetLedgers(SchedulingStrategy? strategy) => strategy is null ? nodes.Ledgers : ResolveStrategy(strategy);

    /// <summary>Returns the candidate ledgers that are large enough for a demand.</summary>
    /// <exception cref="InsufficientResourcesException">None is.</exception>
    public ResourceLedger[] GetLedgers(SchedulingStrategy? strategy, ResourceDemand demand)
    {
        var ledgers = GetLedgers(strategy);
        if (AllCan(ledgers, demand))
            return ledgers;
        return AbleOf(strategy, ledgers, demand);
    }

    /// <summary>Returns the candidate ledgers of an actor.</summary>
    /// <param name="strategy">Scheduling strategy.</param>
    /// <param name="demand">The resources of the actor.</param>
    /// <param name="isProcess">Whether it has a worker of its own, on any node; otherwise it runs in the driver's process.</param>
    /// <exception cref="InsufficientResourcesException">None is large enough.</exception>
    public ResourceLedger[] GetActorLedgers(SchedulingStrategy? strategy, ResourceDemand demand, bool isProcess)
    {
        var ledgers = GetLedgers(strategy, demand);
        if (isProcess || Array.TrueForAll(ledgers, nodes.IsLocal))
            return ledgers;
        return Array.FindAll(ledgers, nodes.IsLocal) is { Length: > 0 } local
            ? local
            : throw new InsufficientResourcesException(
                $"The actor runs in the driver's process, but its resources are on node '{ledgers[0].NodeId}'. Set Isolation.Process to run it there.", isPermanent: true);
    }

    private static ResourceLedger[] AbleOf(SchedulingStrategy? strategy, ResourceLedger[] ledgers, ResourceDemand demand)
    {
        var able = ledgers.Where(ledger => ledger.CanEverReserve(demand)).ToArray();
        return able.Length > 0 ? able : throw new InsufficientResourcesException(WhyNone(strategy, ledgers, demand), isPermanent: true);
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
            var which = index >= 0 ? $"bundle {index} has {ledgers[0].Total}" : $"none of its {ledgers.Length} bundles has enough";
            return $"{demand} was requested in {group}, but {which}. Request less, or make the bundle larger.";
        }

        try
        {
            ledgers[0].TryReserve(demand, out var taken);
            if (taken is not null)
                ledgers[0].Release(taken);
            return $"{demand} was requested, but no node has enough.";
        }
        catch (InsufficientResourcesException refused)
        {
            return refused.Message;
        }
    }

    private static ResourceLedger[] OfGroup(SchedulingStrategy.InGroup within)
    {
        if (within.Group is not ReservedPlacementGroup group)
            throw new ArgumentException("The placement group belongs to another cluster.");
        if (within.Bundle >= group.Bundles.Count || within.Bundle < -1)
        {
            throw new InsufficientResourcesException(
                $"Bundle index must be between 0 and {group.Bundles.Count - 1} (or -1 for any) in {group}, but was {within.Bundle}.", isPermanent: true);
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
        _ => nodes.Ledgers is { Length: 1 } only ? only : [.. nodes.Ledgers.OrderByDescending(FreeShare)],
    };

    private ResourceLedger[] OfNode(SchedulingStrategy.NodeAffinity affinity)
    {
        if (nodes.Find(affinity.NodeId) is { } node)
            return nodes.Ledgers is { Length: 1 } only ? only : [node.Ledger];
        return affinity.Soft
            ? nodes.Ledgers
            : throw new InsufficientResourcesException(
                $"Unknown node '{affinity.NodeId}'. Nodes: '{string.Join("', '", nodes.Current.Select(node => node.Id))}'. With soft affinity the task would run on another node.", isPermanent: true);
    }
}
