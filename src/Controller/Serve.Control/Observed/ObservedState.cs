using System.Collections.Immutable;

namespace Serve.Control;

/// <summary>What is, as far as is known, with everything that has been dispatched and not yet confirmed. Written by the control loop alone.</summary>
public sealed partial record ObservedState
{
    /// <summary>Every replica that is not gone, by its id as text.</summary>
    public ImmutableSortedDictionary<string, ObservedReplica> Replicas { get; init; } =
        ImmutableSortedDictionary.Create<string, ObservedReplica>(StringComparer.Ordinal);

    /// <summary>How starts went.</summary>
    public ImmutableDictionary<ReplicaStartKey, ReplicaStartHistory> Starts { get; init; } = ImmutableDictionary<ReplicaStartKey, ReplicaStartHistory>.Empty;

    /// <summary>What was published.</summary>
    public RoutePublicationState Routes { get; init; } = new();

    /// <summary>By application, the revision that was completely up since this controller started.</summary>
    public ImmutableDictionary<string, long> Promoted { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>The node's resources; null when they are not limited.</summary>
    public NodeResources? Resources { get; init; }

    /// <summary>The generation of the newest action.</summary>
    public long Generation { get; init; }

    /// <summary>How often a controller has started on this state: makes replica ids of different lives differ.</summary>
    public int Epoch { get; init; }

    /// <summary>How starts of one version went.</summary>
    public ReplicaStartHistory StartHistoryOf(ReplicaStartKey key) => Starts.GetValueOrDefault(key, ReplicaStartHistory.None);

    /// <summary>The replicas of one deployment.</summary>
    public IEnumerable<ObservedReplica> ReplicasOf(DeploymentId deployment) => Replicas.Values.Where(replica => replica.Id.Deployment == deployment);
}
