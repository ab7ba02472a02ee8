using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>Where a replica is in its life. Written in upper case, Ray Serve's own names.</summary>
public enum ReplicaState
{
    /// <summary>Being created: its process starts, its constructor runs.</summary>
    [JsonStringEnumMemberName("STARTING")]
    Starting,

    /// <summary>Taking new settings.</summary>
    [JsonStringEnumMemberName("UPDATING")]
    Updating,

    /// <summary>Found again after the controller restarted.</summary>
    [JsonStringEnumMemberName("RECOVERING")]
    Recovering,

    /// <summary>Answers requests.</summary>
    [JsonStringEnumMemberName("RUNNING")]
    Running,

    /// <summary>Takes no new requests, finishes what it has, ends.</summary>
    [JsonStringEnumMemberName("STOPPING")]
    Stopping,
}
