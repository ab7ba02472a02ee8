using System.Collections.Immutable;
using Serve.Control.Autoscaling;
using Serve.Control.Canaries;

namespace Serve.Control.Observed;

/// <summary>Observed state of the cluster, including all actions that were dispatched and not yet confirmed. Written by the control loop alone.</summary>
public sealed partial record ObservedState
{
    /// <summary>All nodes by id.</summary>
    public ImmutableSortedDictionary<NodeId, NodeView> Nodes { get; init; } = ImmutableSortedDictionary<NodeId, NodeView>.Empty;

    /// <summary>All replicas that are not removed, by id.</summary>
    public ImmutableSortedDictionary<string, ObservedReplica> Replicas { get; init; } =
        ImmutableSortedDictionary.Create<string, ObservedReplica>(StringComparer.Ordinal);

    /// <summary>Start histories by deployment version.</summary>
    public ImmutableDictionary<ReplicaStartKey, ReplicaStartHistory> Starts { get; init; } = ImmutableDictionary<ReplicaStartKey, ReplicaStartHistory>.Empty;

    /// <summary>The published routes.</summary>
    public RoutePublicationState Routes { get; init; } = new();

    /// <summary>By application, the generation of its desired state that was completely running since this controller started.</summary>
    public ImmutableDictionary<string, long> Promoted { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>Deployments without replicas for which requests are queued.</summary>
    public ImmutableHashSet<DeploymentId> WakeUps { get; init; } = [];

    /// <summary>States of the deployments that follow their load.</summary>
    public ImmutableDictionary<DeploymentId, AutoscalingState> Autoscaling { get; init; } = ImmutableDictionary<DeploymentId, AutoscalingState>.Empty;

    /// <summary>Newest results of the users' policies.</summary>
    public ImmutableDictionary<DeploymentId, PolicyResult> PolicyResults { get; init; } = ImmutableDictionary<DeploymentId, PolicyResult>.Empty;

    /// <summary>Load that the routers of each node have reported.</summary>
    public ImmutableDictionary<NodeId, ImmutableDictionary<DeploymentId, DeploymentLoad>> Loads { get; init; } =
        ImmutableDictionary<NodeId, ImmutableDictionary<DeploymentId, DeploymentLoad>>.Empty;

    /// <summary>Metrics of their own that the replicas of each node have reported, by replica.</summary>
    public ImmutableDictionary<NodeId, ImmutableDictionary<string, ImmutableSortedDictionary<string, double>>> ReplicaMetrics { get; init; } =
        ImmutableDictionary<NodeId, ImmutableDictionary<string, ImmutableSortedDictionary<string, double>>>.Empty;

    /// <summary>Requests to the applications that have a canary, by application.</summary>
    public ImmutableDictionary<string, RevisionRequests> RevisionRequests { get; init; } = ImmutableDictionary<string, RevisionRequests>.Empty;

    /// <summary>Generation of the newest action.</summary>
    public long Generation { get; init; }

    /// <summary>Epoch of this controller. Part of replica ids and snapshot versions, so that those of different controllers never collide.</summary>
    public long Epoch { get; init; }

    /// <summary>Returns the start history of a version.</summary>
    public ReplicaStartHistory StartHistoryOf(ReplicaStartKey key) => Starts.GetValueOrDefault(key, ReplicaStartHistory.None);

    /// <summary>Returns the number of replicas of a deployment that are running.</summary>
    public int CountRunning(DeploymentId deployment) => ReplicasOf(deployment).Count(replica => replica.Phase == ReplicaPhase.Running);

    /// <summary>Returns the load of a deployment on all nodes.</summary>
    public DeploymentLoad LoadOf(DeploymentId deployment) => Loads.Values.Aggregate(
        DeploymentLoad.None, (sum, loads) => loads.TryGetValue(deployment, out var load) ? sum.Plus(load) : sum);

    /// <summary>Returns the metrics of their own that the running replicas of a deployment have reported, by replica.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> MetricsOf(DeploymentId deployment) => ReplicasOf(deployment)
        .Where(replica => replica.Phase == ReplicaPhase.Running && ReplicaMetrics.GetValueOrDefault(replica.Node)?.ContainsKey(replica.Id.ToString()) is true)
        .ToDictionary(replica => replica.Id.ToString(), IReadOnlyDictionary<string, double> (replica) => ReplicaMetrics[replica.Node][replica.Id.ToString()]);

    /// <summary>Returns the replicas of a deployment.</summary>
    public IEnumerable<ObservedReplica> ReplicasOf(DeploymentId deployment) => Replicas.Values.Where(replica => replica.Id.Deployment == deployment);

    /// <summary>Returns the requests to an application with a canary of a revision.</summary>
    public RevisionRequests RevisionRequestsOf(string application, long revision) =>
        RevisionRequests.GetValueOrDefault(application) is { } counts && counts.Revision == revision ? counts : new() { Revision = revision };

    /// <summary>Returns this state at the start of a canary's step.</summary>
    public ObservedState WithCanaryStep(string application, long revision)
    {
        var counts = RevisionRequestsOf(application, revision);
        return this with { RevisionRequests = RevisionRequests.SetItem(application, counts with { StableBefore = counts.Stable, CanaryBefore = counts.Canary }) };
    }

    /// <summary>Returns this state with the reason for which a canary is as it is.</summary>
    public ObservedState WithCanaryReason(string application, long revision, string reason)
    {
        var counts = RevisionRequestsOf(application, revision);
        return counts.Reason == reason ? this : this with { RevisionRequests = RevisionRequests.SetItem(application, counts with { Reason = reason }) };
    }

    /// <summary>Returns this state without the requests to some applications.</summary>
    public ObservedState WithoutRevisionRequests(Func<string, bool> isRemoved) =>
        RevisionRequests.Keys.Any(isRemoved) ? this with { RevisionRequests = RevisionRequests.RemoveRange(RevisionRequests.Keys.Where(isRemoved)) } : this;

    /// <summary>Returns the phase of a replica's node.</summary>
    public NodePhase NodePhaseOf(ObservedReplica replica) => Nodes.TryGetValue(replica.Node, out var node) ? node.Phase : NodePhase.Gone;
}
