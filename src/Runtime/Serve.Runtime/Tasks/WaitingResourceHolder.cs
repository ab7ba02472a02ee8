namespace Serve.Runtime.Tasks;

/// <summary>Who holds resources, and does not give them back before all of some tasks or calls have ended.</summary>
/// <param name="Ledger">Of which ledger.</param>
/// <param name="Held">What.</param>
/// <param name="Until">The objects of those that wait at this moment.</param>
/// <param name="Label">For people.</param>
internal sealed record WaitingResourceHolder(ResourceLedger Ledger, ResourceDemand Held, IReadOnlyList<ObjectRef> Until, string Label)
{
    /// <summary>Whose further tasks may run with the same resources when one of its own ends; null when none may.</summary>
    public TaskQueue? Queue { get; init; }

    /// <summary>Whether there are others besides, which do not wait.</summary>
    public bool GoesOn { get; init; }

    /// <summary>Whether it keeps them from a queue's tasks, or from an actor, for as long as some never come.</summary>
    public bool KeepsFrom(TaskQueue? queue, Func<ObjectRef, bool> comes) =>
        Queue is not null && Queue == queue ? !GoesOn && !Until.Any(comes) : !Until.All(comes);
}
