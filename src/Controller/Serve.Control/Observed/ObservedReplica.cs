using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Serve.Control.Desired;
using Serve.Replicas;
using Serve.Routes;

namespace Serve.Control.Observed;

/// <summary>Observed state of one replica, including the actions in flight on it.</summary>
public sealed record ObservedReplica
{
    /// <summary>The replica's id.</summary>
    public required ReplicaId Id { get; init; }

    /// <summary>The node it was placed on.</summary>
    public required NodeId Node { get; init; }

    /// <summary>The deployment revision it was started with or last reconfigured to.</summary>
    public required DeploymentRevision Deployment { get; init; }

    /// <summary>Number of the application's revision it was started for.</summary>
    public required long Revision { get; init; }

    /// <summary>Its phase.</summary>
    public ReplicaPhase Phase { get; init; } = ReplicaPhase.Starting;

    /// <summary>The place it was last given.</summary>
    public required ReplicaPlace Place { get; init; }

    /// <summary>Its gang; null if it is in none.</summary>
    public ReplicaGang? Gang { get; init; }

    /// <summary>Its rank.</summary>
    public int Rank => Place.Rank;

    /// <summary>How to reach it; null while it starts.</summary>
    public ReplicaAddress? Address { get; init; }

    /// <summary>When its start was dispatched.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it started to serve requests.</summary>
    public DateTimeOffset? RunningSince { get; init; }

    /// <summary>Human-readable reason of the last action on it.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Human-readable facts about it for the operator, as of its start or last reconfiguration.</summary>
    public ImmutableArray<string> Notices { get; init; } = [];

    /// <summary>Generation of the start, stop or reconfiguration in flight; null if there is none.</summary>
    public long? InFlight { get; init; }

    /// <summary>Settings of the reconfiguration in flight; null if there is none.</summary>
    public PendingReconfiguration? Pending { get; init; }

    /// <summary>No stop or reconfiguration is dispatched before this time; set after a failed attempt.</summary>
    public DateTimeOffset NotBefore { get; init; }

    /// <summary>Generation of the health check in flight; null if there is none.</summary>
    public long? CheckInFlight { get; init; }

    /// <summary>When the next health check is due.</summary>
    public DateTimeOffset NextCheckAt { get; init; }

    /// <summary>Number of consecutive health checks that failed.</summary>
    public int HealthFailures { get; init; }

    /// <summary>Reason of its death, if that was reported before its start was.</summary>
    public string? EarlyDeath { get; init; }

    /// <summary>Whether a snapshot that contains it was ever published.</summary>
    public bool WasRouted { get; init; }

    /// <summary>Version of the first snapshot that no longer contains it; null while the newest one does.</summary>
    public SnapshotVersion? UnroutedAt { get; init; }

    /// <summary>Whether it starts or runs, and so counts towards the target.</summary>
    public bool IsLive => Phase is ReplicaPhase.Starting or ReplicaPhase.Running;

    /// <summary>Whether it is applying a <c>user_config</c> other than that of <paramref name="wanted"/>: its hook may take long or hang, so that it is replaced.</summary>
    public bool IsApplyingOtherConfig(DeploymentRevision? wanted) =>
        Pending is { } pending && !HasConfigOf(pending.Deployment) && !(wanted is not null && JsonNode.DeepEquals(pending.Deployment.Spec.UserConfig, wanted.Spec.UserConfig));

    /// <summary>Whether its <c>user_config</c> is that of a revision.</summary>
    public bool HasConfigOf(DeploymentRevision other) => JsonNode.DeepEquals(Deployment.Spec.UserConfig, other.Spec.UserConfig);

    /// <summary>Whether it is applying other settings. A rank or world size alone reaches it without running user code.</summary>
    public bool IsUpdating => Pending is { } pending && pending.Deployment.Settings != Deployment.Settings;

    /// <summary>The resources it reserves.</summary>
    public ResourceAmounts Demand => ResourceAmounts.Of(Deployment.Spec.Resources);
}

/// <summary>Settings that a reconfiguration in flight applies.</summary>
public sealed record PendingReconfiguration(DeploymentRevision Deployment, ReplicaPlace Place);
