using System.Collections.Immutable;
using Serve.Control.Desired;

namespace Serve.Control.Observed;

/// <summary>Results of past starts and deaths of replicas of one deployment version.</summary>
public sealed record ReplicaStartHistory
{
    /// <summary>An empty history.</summary>
    public static ReplicaStartHistory None { get; } = new();

    /// <summary>Starts that failed since the last success, in the constructor or a hook.</summary>
    public int Failures { get; init; }

    /// <summary>Starts that failed since the last success because a node could not provide a process.</summary>
    public int NodeFailures { get; init; }

    /// <summary>Reconfigurations that failed since the last success.</summary>
    public int FailedUpdates { get; init; }

    /// <summary>Error of the last failure.</summary>
    public string? Error { get; init; }

    /// <summary>Consecutive crashes soon after a start. Replicas that died together count once.</summary>
    public int Crashes { get; init; }

    /// <summary>When replicas last died.</summary>
    public DateTimeOffset CrashedAt { get; init; }

    /// <summary>Reason of the last death.</summary>
    public string? Death { get; init; }

    /// <summary>No replica is started before this time.</summary>
    public DateTimeOffset NotBefore { get; init; }

    /// <summary>Whether a replica of this version has ever run.</summary>
    public bool HasRun { get; init; }

    /// <summary>The last placement error, if a node refused the resources of the last start.</summary>
    public string? Shortage { get; init; }

    /// <summary>Nodes that reported that they can never provide the resources.</summary>
    public ImmutableHashSet<NodeId> UnsuitableNodes { get; init; } = [];
}

/// <summary>Key of a start history: a deployment with a version and settings.</summary>
public readonly record struct ReplicaStartKey(DeploymentId Deployment, string Version, string Settings)
{
    /// <summary>Returns the key of a deployment's revision.</summary>
    public static ReplicaStartKey Of(DeploymentId id, DeploymentRevision revision) => new(id, revision.Version, revision.Settings);
}
