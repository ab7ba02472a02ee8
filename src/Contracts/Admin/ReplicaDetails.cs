using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>One replica, in Ray Serve's schema.</summary>
public sealed record ReplicaDetails
{
    /// <summary>The replica's id, <c>app#deployment#suffix</c>.</summary>
    public required string ReplicaId { get; init; }

    /// <summary>Its state.</summary>
    public ReplicaState State { get; init; }

    /// <summary>Its rank, 0 to the number of replicas - 1.</summary>
    public int Rank { get; init; }

    /// <summary>Human-readable reason of the last action on it.</summary>
    public string? Message { get; init; }

    /// <summary>The operating system's id of its host process; null while it has none.</summary>
    public int? Pid { get; init; }

    /// <summary>Its start time in seconds since 1970, UTC.</summary>
    public double? StartTimeS { get; init; }

    /// <summary>The node it runs on.</summary>
    public string? NodeId { get; init; }

    /// <summary>The node's IP address.</summary>
    public string? NodeIp { get; init; }

    /// <summary>Its actor id.</summary>
    public string? ActorId { get; init; }

    /// <summary>The worker that hosts it; the id of the node's own process if that hosts it.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Its log file.</summary>
    public string? LogFilePath { get; init; }
}

/// <summary>State of a replica. Serialized as Ray Serve's upper-case names.</summary>
public enum ReplicaState
{
    /// <summary>It is being created.</summary>
    [JsonStringEnumMemberName("STARTING")]
    Starting,

    /// <summary>It is applying new settings.</summary>
    [JsonStringEnumMemberName("UPDATING")]
    Updating,

    /// <summary>It was found again after a restart of the controller.</summary>
    [JsonStringEnumMemberName("RECOVERING")]
    Recovering,

    /// <summary>It serves requests.</summary>
    [JsonStringEnumMemberName("RUNNING")]
    Running,

    /// <summary>It accepts no new requests, completes the ongoing ones, and exits.</summary>
    [JsonStringEnumMemberName("STOPPING")]
    Stopping,
}
