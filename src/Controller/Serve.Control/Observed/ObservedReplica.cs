using Serve.Routes;

namespace Serve.Control;

/// <summary>One replica as it is known to be, what is being done to it included.</summary>
public sealed record ObservedReplica
{
    /// <summary>Its id.</summary>
    public required ReplicaId Id { get; init; }

    /// <summary>The deployment's settings it was started with or last took.</summary>
    public required DeploymentRevision Deployment { get; init; }

    /// <summary>The revision it was started for.</summary>
    public required long Revision { get; init; }

    /// <summary>Where it is in its life.</summary>
    public ReplicaPhase Phase { get; init; } = ReplicaPhase.Starting;

    /// <summary>The rank it has been told.</summary>
    public required int Rank { get; init; }

    /// <summary>The world size it has been told.</summary>
    public required int WorldSize { get; init; }

    /// <summary>The process that holds it; null while it starts.</summary>
    public ReplicaAddress? Process { get; init; }

    /// <summary>When its start was dispatched.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it began to answer.</summary>
    public DateTimeOffset? RunningSince { get; init; }

    /// <summary>Why it is where it is, for people.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The generation of the start, stop or reconfiguration that is under way; null when none is.</summary>
    public long? InFlight { get; init; }

    /// <summary>What the reconfiguration under way will put in force.</summary>
    public PendingReconfiguration? Pending { get; init; }

    /// <summary>Not to be stopped or told again before; after a try that failed.</summary>
    public DateTimeOffset NotBefore { get; init; }

    /// <summary>The generation of the health check that is under way; null when none is.</summary>
    public long? CheckInFlight { get; init; }

    /// <summary>When the next health check is due.</summary>
    public DateTimeOffset NextCheckAt { get; init; }

    /// <summary>How many health checks failed in a row.</summary>
    public int HealthFailures { get; init; }

    /// <summary>How it died, when that was heard of before its start had been.</summary>
    public string? EarlyDeath { get; init; }

    /// <summary>Whether a snapshot that names it was ever published.</summary>
    public bool WasRouted { get; init; }

    /// <summary>The version of the first snapshot without it since it was last named; null while the newest names it.</summary>
    public SnapshotVersion? UnroutedAt { get; init; }

    /// <summary>Whether it is starting or running: counts towards what is wanted.</summary>
    public bool IsLive => Phase is ReplicaPhase.Starting or ReplicaPhase.Running;
}
