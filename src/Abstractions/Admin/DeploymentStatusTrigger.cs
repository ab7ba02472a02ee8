using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>What brought a deployment into its status. Written in upper case, Ray Serve's own names.</summary>
public enum DeploymentStatusTrigger
{
    /// <summary>Nothing in particular.</summary>
    [JsonStringEnumMemberName("UNSPECIFIED")]
    Unspecified,

    /// <summary>New code or settings were asked for.</summary>
    [JsonStringEnumMemberName("CONFIG_UPDATE_STARTED")]
    ConfigUpdateStarted,

    /// <summary>New code or settings are in force.</summary>
    [JsonStringEnumMemberName("CONFIG_UPDATE_COMPLETED")]
    ConfigUpdateCompleted,

    /// <summary>More replicas were asked for and run.</summary>
    [JsonStringEnumMemberName("UPSCALE_COMPLETED")]
    UpscaleCompleted,

    /// <summary>Fewer replicas were asked for and the others are gone.</summary>
    [JsonStringEnumMemberName("DOWNSCALE_COMPLETED")]
    DownscaleCompleted,

    /// <summary>The number of replicas follows the load.</summary>
    [JsonStringEnumMemberName("AUTOSCALING")]
    Autoscaling,

    /// <summary>Somebody asked for more replicas.</summary>
    [JsonStringEnumMemberName("MANUALLY_INCREASE_NUM_REPLICAS")]
    ManuallyIncreaseNumReplicas,

    /// <summary>Somebody asked for fewer replicas.</summary>
    [JsonStringEnumMemberName("MANUALLY_DECREASE_NUM_REPLICAS")]
    ManuallyDecreaseNumReplicas,

    /// <summary>A replica did not come up.</summary>
    [JsonStringEnumMemberName("REPLICA_STARTUP_FAILED")]
    ReplicaStartupFailed,

    /// <summary>A replica died or failed its health checks.</summary>
    [JsonStringEnumMemberName("HEALTH_CHECK_FAILED")]
    HealthCheckFailed,

    /// <summary>The platform itself failed.</summary>
    [JsonStringEnumMemberName("INTERNAL_ERROR")]
    InternalError,

    /// <summary>The application is being deleted.</summary>
    [JsonStringEnumMemberName("DELETING")]
    Deleting,
}
