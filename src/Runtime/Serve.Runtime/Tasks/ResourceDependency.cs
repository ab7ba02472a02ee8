namespace Serve.Runtime.Tasks;

/// <summary>
/// Resources have to be free in one of some ledgers, or in all of them together. What can be free is all but what is held by those who never give it back: who else
/// holds some may do so at any time.
/// </summary>
/// <param name="since">Equal for as long as they have been needed without a break.</param>
/// <param name="ledgers">The ledgers.</param>
/// <param name="demand">The resources.</param>
/// <param name="queue">Whose task needs them; null for an actor.</param>
/// <param name="holders">Who holds any and waits.</param>
internal sealed class ResourceDependency(object since, IReadOnlyList<ResourceLedger> ledgers, ResourceDemand demand, TaskQueue? queue, IReadOnlyList<WaitingResourceHolder> holders) : ObjectDependency(since)
{
    /// <summary>Whether each of the ledgers may give a part.</summary>
    public bool Together { get; init; }

    private IEnumerable<IReadOnlyList<ResourceLedger>> Sources => Together ? [ledgers] : ledgers.Select(ledger => new[] { ledger });

    public override IEnumerable<ObjectRef> CandidateObjects => holders.Where(holder => ledgers.Contains(holder.Ledger) && Wants(holder)).SelectMany(holder => holder.Until);

    public override bool IsSatisfied(Func<ObjectRef, bool> comes) => Sources.Any(source => Missing(source, comes) is null);

    public override string Describe(string next, Func<ObjectRef, bool> comes)
    {
        var missing = Sources.Select(source => Missing(source, comes)).OfType<string>().Distinct().Order(StringComparer.Ordinal).ToArray();
        var keepers = holders.Where(holder => ledgers.Contains(holder.Ledger) && Array.Exists(missing, resource => holder.Held.UnitsOf(resource) > 0) && holder.KeepsFrom(queue, comes));
        return $"waits for {demand}, of which {string.Join(" and ", missing)} is held by {string.Join(", ", keepers.Select(holder => holder.Label))}";
    }

    private bool Wants(WaitingResourceHolder holder)
    {
        for (var index = 0; index < demand.Count; index++)
        {
            if (holder.Held.UnitsOf(demand.NameAt(index)) > 0)
                return true;
        }

        return false;
    }

    /// <summary>A resource of which never enough is free in some ledgers together; null when there is none.</summary>
    private string? Missing(IReadOnlyList<ResourceLedger> source, Func<ObjectRef, bool> comes)
    {
        for (var index = 0; index < demand.Count; index++)
        {
            var resource = demand.NameAt(index);
            var kept = holders.Where(holder => source.Contains(holder.Ledger) && holder.KeepsFrom(queue, comes)).Sum(holder => holder.Held.UnitsOf(resource));
            if (kept > 0 && source.Sum(ledger => ledger.Total.UnitsOf(resource)) - kept < demand.UnitsAt(index))
                return resource;
        }

        return null;
    }
}
