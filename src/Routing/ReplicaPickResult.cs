namespace Serve.Routing;

/// <summary>Result of an attempt to assign a replica: a replica with a lease on it, queue the request, or fail it.</summary>
internal readonly struct ReplicaPickResult
{
    private ReplicaPickResult(ReplicaSlot? slot, Func<ServeException>? failure)
    {
        Slot = slot;
        Failure = failure;
    }

    /// <summary>No replica is available now; one may be later.</summary>
    public static ReplicaPickResult Queue => default;

    /// <summary>The replica, with a lease on it; null if none was picked.</summary>
    public ReplicaSlot? Slot { get; }

    /// <summary>Creates the error of a request that must fail; null otherwise.</summary>
    public Func<ServeException>? Failure { get; }

    /// <summary>Returns a replica on which a lease has been taken.</summary>
    public static ReplicaPickResult Complete(ReplicaSlot slot) => new(slot, null);

    /// <summary>Fails the request.</summary>
    /// <param name="failure">Creates the error.</param>
    public static ReplicaPickResult Fail(Func<ServeException> failure) => new(null, failure);
}
