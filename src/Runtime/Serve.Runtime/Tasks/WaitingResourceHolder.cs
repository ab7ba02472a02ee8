namespace Serve.Runtime.Tasks;

/// <summary>Waiting tasks and calls, and the resources they hold, as found by one poll of the <see cref="DeadlockDetector"/>.</summary>
internal sealed class WaitingTaskSnapshot
{
    /// <summary>Objects of tasks and calls whose code waits.</summary>
    public List<ObjectRef> Waiting { get; } = [];

    /// <summary>Holders of resources that are not released while their code waits.</summary>
    public List<WaitingResourceHolder> Holders { get; } = [];
}

/// <summary>Holder of resources that does not release them before all of some tasks or calls have finished.</summary>
/// <param name="Ledger">Ledger of the resources.</param>
/// <param name="Held">Held resources.</param>
/// <param name="Until">Objects of the tasks and calls, which all wait.</param>
/// <param name="Label">Display name.</param>
public sealed record WaitingResourceHolder(ResourceLedger Ledger, ResourceDemand Held, IReadOnlyList<ObjectRef> Until, string Label)
{
    /// <summary>Queue whose tasks use the same resources as soon as one of the holder's tasks finishes; null if there is none.</summary>
    public object? Queue { get; init; }

    /// <summary>Whether other tasks of the holder do not wait, so that it will run more tasks of its queue.</summary>
    public bool RunsOthers { get; init; }

    /// <summary>Adds the holders without whose resources a demand can never be met.</summary>
    /// <param name="dependencies">List to add to.</param>
    /// <param name="holders">Waiting holders.</param>
    /// <param name="since">Identity of the demand.</param>
    /// <param name="ledgers">Ledgers that serve the demand together.</param>
    /// <param name="demand">Demanded resources.</param>
    /// <param name="queue">Queue of the demanding task; null for actors and placement groups.</param>
    public static void AddDependencies(
        ICollection<ObjectDependency> dependencies, IReadOnlyList<WaitingResourceHolder> holders, object since, IReadOnlyList<ResourceLedger> ledgers, ResourceDemand demand, object? queue)
    {
        foreach (var holder in holders)
        {
            // The first of several tasks that finishes makes way for the next one of its own queue.
            if (queue is not null && queue == holder.Queue && (holder.RunsOthers || holder.Until.Count > 1))
                continue;
            if (!ledgers.Contains(holder.Ledger) || holder.FindNecessary(demand, ledgers) is not { } resource)
                continue;
            foreach (var reference in holder.Until)
                dependencies.Add(new(reference, since, $"waits for {demand}, of which {resource} is held by {holder.Label}"));
        }
    }

    /// <summary>Returns a resource of which the ledgers have too little without the holder's share; null if there is none.</summary>
    private string? FindNecessary(ResourceDemand demand, IReadOnlyList<ResourceLedger> ledgers)
    {
        for (var index = 0; index < demand.Count; index++)
        {
            var resource = demand.NameAt(index);
            if (Held.UnitsOf(resource) is > 0 and var held && ledgers.Sum(ledger => ledger.Total.UnitsOf(resource)) - held < demand.UnitsAt(index))
                return resource;
        }

        return null;
    }
}
