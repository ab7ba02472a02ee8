using Serve.Routes;

namespace Serve.Control;

/// <summary>One thing to do. Its outcome comes back as an <see cref="ControlObservation"/> of the same generation.</summary>
/// <param name="Generation">Grows with every action; an outcome of another generation is stale.</param>
/// <param name="Reason">Why, for people.</param>
public abstract record ControlAction(long Generation, string Reason)
{
    /// <summary>Create a replica.</summary>
    public sealed record StartReplica(
        long Generation, string Reason, ReplicaId Replica, ApplicationRevision Revision, DeploymentRevision Deployment, int Rank, int WorldSize)
        : ControlAction(Generation, Reason);

    /// <summary>Drain a replica and end it.</summary>
    public sealed record StopReplica(long Generation, string Reason, ReplicaId Replica, TimeSpan DrainTimeout) : ControlAction(Generation, Reason);

    /// <summary>Tell a running replica its settings, rank and world size.</summary>
    public sealed record ReconfigureReplica(
        long Generation, string Reason, ReplicaId Replica, DeploymentRevision Deployment, int Rank, int WorldSize) : ControlAction(Generation, Reason);

    /// <summary>Ask a replica whether it is well.</summary>
    public sealed record CheckReplicaHealth(long Generation, string Reason, ReplicaId Replica, TimeSpan Timeout) : ControlAction(Generation, Reason);

    /// <summary>Publish a snapshot.</summary>
    public sealed record PublishRouteSnapshot(long Generation, string Reason, RouteSnapshot Snapshot) : ControlAction(Generation, Reason);

    /// <summary>Note that a revision is completely up: it is what to fall back to from now on.</summary>
    public sealed record PromoteApplicationRevision(long Generation, string Reason, string Application, long Revision) : ControlAction(Generation, Reason);

    /// <summary>Note that nothing is left of a deleted application.</summary>
    public sealed record RemoveApplication(long Generation, string Reason, string Application) : ControlAction(Generation, Reason);
}
