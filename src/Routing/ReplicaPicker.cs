namespace Serve.Routing;

/// <summary>Routing policy over a fixed set of replicas. Immutable: a new snapshot creates a new picker. Queueing is done by the caller.</summary>
public abstract class ReplicaPicker
{
    /// <summary>Picks a replica and takes a lease on it.</summary>
    public abstract ReplicaPickResult Pick();
}

/// <summary>Fails every request: the deployment was deleted, or no replica is being started.</summary>
/// <param name="failure">Creates the error.</param>
public sealed class FailingReplicaPicker(Func<ServeException> failure) : ReplicaPicker
{
    /// <inheritdoc/>
    public override ReplicaPickResult Pick() => ReplicaPickResult.Fail(failure);
}

/// <summary>Result of a pick: a replica with a lease on it, queue the request, or fail it.</summary>
public readonly struct ReplicaPickResult
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
