using System.Collections.Immutable;
using Serve.Control.Autoscaling;
using Serve.Routes;

namespace Serve.Control.Observed;

/// <summary>Result of an action or an unsolicited event.</summary>
public abstract record ControlObservation
{
    private ControlObservation()
    {
    }

    /// <summary>A replica was created.</summary>
    public sealed record ReplicaStarted(ReplicaId Replica, long Generation, ReplicaAddress Address) : ControlObservation
    {
        /// <summary>Human-readable facts about the replica for the operator.</summary>
        public ImmutableArray<string> Notices { get; init; } = [];
    }

    /// <summary>Replicas run on a node, according to its register.</summary>
    public sealed record ReplicasFound(IReadOnlyList<ObservedReplica> Replicas) : ControlObservation;

    /// <summary>A replica could not be created; with <paramref name="IsNodeFailure"/>, because the node could not provide a process, and its constructor did not run.</summary>
    public sealed record ReplicaStartFailed(ReplicaId Replica, long Generation, string Error, bool IsNodeFailure = false) : ControlObservation;

    /// <summary>The node refused to reserve a replica's resources; permanently if it can never provide them.</summary>
    public sealed record ReplicaPlacementFailed(ReplicaId Replica, long Generation, string Message, bool IsPermanent) : ControlObservation;

    /// <summary>A replica applied its new settings.</summary>
    public sealed record ReplicaReconfigured(ReplicaId Replica, long Generation) : ControlObservation
    {
        /// <summary>Human-readable facts about the replica for the operator.</summary>
        public ImmutableArray<string> Notices { get; init; } = [];
    }

    /// <summary>A replica failed to apply its new settings; with <paramref name="IsHung"/>, it did not end in time and may never do.</summary>
    public sealed record ReplicaReconfigureFailed(ReplicaId Replica, long Generation, string Error, bool IsHung = false) : ControlObservation;

    /// <summary>A replica was stopped.</summary>
    public sealed record ReplicaStopped(ReplicaId Replica, long Generation) : ControlObservation;

    /// <summary>A replica could not be stopped.</summary>
    public sealed record ReplicaStopFailed(ReplicaId Replica, long Generation, string Error) : ControlObservation;

    /// <summary>A health check completed; <paramref name="Error"/> is null if it succeeded.</summary>
    public sealed record ReplicaHealthChecked(ReplicaId Replica, long Generation, string? Error) : ControlObservation;

    /// <summary>A replica's process exited unexpectedly.</summary>
    public sealed record ReplicaDied(ReplicaId Replica, string Reason) : ControlObservation;

    /// <summary>All processes of a node have applied a snapshot.</summary>
    public sealed record RoutesAcknowledged(NodeId Node, SnapshotVersion Version) : ControlObservation;

    /// <summary>A node did not acknowledge a snapshot.</summary>
    public sealed record RoutesNotAcknowledged(NodeId Node, SnapshotVersion Version, string Error) : ControlObservation;

    /// <summary>The routers of a node have reported their load; replaces the node's previous report.</summary>
    public sealed record LoadReported(NodeId Node, ImmutableDictionary<DeploymentId, DeploymentLoad> Loads) : ControlObservation;

    /// <summary>The replicas of a node have reported metrics of their own; replaces the node's previous report.</summary>
    public sealed record ReplicaMetricsReported(NodeId Node, ImmutableDictionary<string, ImmutableSortedDictionary<string, double>> Metrics) : ControlObservation;

    /// <summary>A process of a node has counted requests to an application with two revisions; the counts are totals.</summary>
    public sealed record RequestsCounted(NodeId Node, string Process, string Application, RevisionRequestReport Report) : ControlObservation;

    /// <summary>A user's autoscaling policy returned a result, or failed.</summary>
    public sealed record PolicyReturned(DeploymentId Deployment, PolicyResult Result) : ControlObservation;

    /// <summary>Requests are queued for a deployment that has no replicas and may be woken.</summary>
    public sealed record WakeUpRequested(DeploymentId Deployment) : ControlObservation;
}
