using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>How a gateway is. Written in upper case, Ray Serve's own names.</summary>
public enum ProxyStatus
{
    /// <summary>Coming up.</summary>
    [JsonStringEnumMemberName("STARTING")]
    Starting,

    /// <summary>Answers requests.</summary>
    [JsonStringEnumMemberName("HEALTHY")]
    Healthy,

    /// <summary>Does not answer.</summary>
    [JsonStringEnumMemberName("UNHEALTHY")]
    Unhealthy,

    /// <summary>Takes no new connections.</summary>
    [JsonStringEnumMemberName("DRAINING")]
    Draining,

    /// <summary>Has nothing left to do.</summary>
    [JsonStringEnumMemberName("DRAINED")]
    Drained,
}
