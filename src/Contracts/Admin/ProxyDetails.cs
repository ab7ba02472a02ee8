using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>One gateway, in Ray Serve's schema.</summary>
public sealed record ProxyDetails
{
    /// <summary>The node it runs on.</summary>
    public required string NodeId { get; init; }

    /// <summary>The node's IP address.</summary>
    public string? NodeIp { get; init; }

    /// <summary>Its status.</summary>
    public ProxyStatus Status { get; init; }

    /// <summary>Its base address.</summary>
    public string? Address { get; init; }
}

/// <summary>Status of a gateway. Serialized as Ray Serve's upper-case names.</summary>
public enum ProxyStatus
{
    /// <summary>It is starting.</summary>
    [JsonStringEnumMemberName("STARTING")]
    Starting,

    /// <summary>It serves requests.</summary>
    [JsonStringEnumMemberName("HEALTHY")]
    Healthy,

    /// <summary>It does not respond.</summary>
    [JsonStringEnumMemberName("UNHEALTHY")]
    Unhealthy,

    /// <summary>It accepts no new connections.</summary>
    [JsonStringEnumMemberName("DRAINING")]
    Draining,

    /// <summary>It has completed all requests.</summary>
    [JsonStringEnumMemberName("DRAINED")]
    Drained,
}
