using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>How a deployment is. Written in upper case, Ray Serve's own names.</summary>
public enum DeploymentStatus
{
    /// <summary>Its replicas are being brought to new code or settings.</summary>
    [JsonStringEnumMemberName("UPDATING")]
    Updating,

    /// <summary>All replicas run and are well.</summary>
    [JsonStringEnumMemberName("HEALTHY")]
    Healthy,

    /// <summary>It was up and has fewer well replicas than wanted.</summary>
    [JsonStringEnumMemberName("UNHEALTHY")]
    Unhealthy,

    /// <summary>Its new revision could not be brought up.</summary>
    [JsonStringEnumMemberName("DEPLOY_FAILED")]
    DeployFailed,

    /// <summary>Replicas are being added.</summary>
    [JsonStringEnumMemberName("UPSCALING")]
    Upscaling,

    /// <summary>Replicas are being drained away.</summary>
    [JsonStringEnumMemberName("DOWNSCALING")]
    Downscaling,
}
