using System.Collections.Immutable;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Replicas;
using Serve.Routes;

namespace Serve.Control;

/// <summary>One action of a plan. Its result is reported as a <see cref="ControlObservation"/> of the same generation.</summary>
/// <param name="Generation">Grows with every action; a result of another generation is stale.</param>
/// <param name="Reason">Human-readable reason.</param>
public abstract record ControlAction(long Generation, string Reason)
{
    /// <summary>Creates a replica on a node.</summary>
    public sealed record StartReplica(
        long Generation, string Reason, ReplicaId Replica, NodeId Node, ApplicationRevision Revision, DeploymentRevision Deployment, ReplicaPlace Place, ReplicaGang? Gang = null)
        : ControlAction(Generation, Reason);

    /// <summary>Drains a replica and stops it.</summary>
    public sealed record StopReplica(long Generation, string Reason, ReplicaId Replica, NodeId Node, TimeSpan DrainTimeout) : ControlAction(Generation, Reason);

    /// <summary>Gives a running replica new settings and another place.</summary>
    public sealed record ReconfigureReplica(
        long Generation, string Reason, ReplicaId Replica, NodeId Node, DeploymentRevision Deployment, ReplicaPlace Place) : ControlAction(Generation, Reason);

    /// <summary>Runs a replica's health check.</summary>
    public sealed record CheckReplicaHealth(long Generation, string Reason, ReplicaId Replica, NodeId Node, TimeSpan Timeout) : ControlAction(Generation, Reason);

    /// <summary>Publishes a route snapshot to nodes.</summary>
    public sealed record PublishRouteSnapshot(long Generation, string Reason, RouteSnapshot Snapshot, ImmutableArray<NodeId> Nodes) : ControlAction(Generation, Reason);

    /// <summary>Records that everything an application asks for is running: its requested revision becomes the last good one.</summary>
    public sealed record PromoteApplicationRevision(long Generation, string Reason, string Application, long DesiredGeneration) : ControlAction(Generation, Reason);

    /// <summary>Removes a deleted application, of which no replica is left, from the desired state.</summary>
    public sealed record RemoveApplication(long Generation, string Reason, string Application) : ControlAction(Generation, Reason);
}
