namespace Serve.Routing;

/// <summary>What a picker says: this replica (already entered), wait, or give up. Closed: made only by its three factories.</summary>
public readonly struct ReplicaPickResult
{
    private ReplicaPickResult(ReplicaSlot? slot, Func<ServeException>? failure)
    {
        Slot = slot;
        Failure = failure;
    }

    /// <summary>No replica has room; one may later.</summary>
    public static ReplicaPickResult Queue => default;

    /// <summary>The replica, entered; null unless complete.</summary>
    public ReplicaSlot? Slot { get; }

    /// <summary>Makes the error every waiter gets; null unless failed.</summary>
    public Func<ServeException>? Failure { get; }

    /// <summary>This replica.</summary>
    /// <param name="slot">The replica, already entered.</param>
    /// <returns>The result.</returns>
    public static ReplicaPickResult Complete(ReplicaSlot slot) => new(slot, null);

    /// <summary>Waiting is of no use.</summary>
    /// <param name="failure">Makes the error.</param>
    /// <returns>The result.</returns>
    public static ReplicaPickResult Fail(Func<ServeException> failure) => new(null, failure);
}
