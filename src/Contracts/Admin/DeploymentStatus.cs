using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>Status of a deployment. Serialized as Ray Serve's upper-case names.</summary>
public enum DeploymentStatus
{
    /// <summary>Its replicas are being updated to new code or settings.</summary>
    [JsonStringEnumMemberName("UPDATING")]
    Updating,

    /// <summary>All replicas are running and healthy.</summary>
    [JsonStringEnumMemberName("HEALTHY")]
    Healthy,

    /// <summary>It was running and now has fewer healthy replicas than its target.</summary>
    [JsonStringEnumMemberName("UNHEALTHY")]
    Unhealthy,

    /// <summary>Its requested revision could not be started.</summary>
    [JsonStringEnumMemberName("DEPLOY_FAILED")]
    DeployFailed,

    /// <summary>Replicas are being added.</summary>
    [JsonStringEnumMemberName("UPSCALING")]
    Upscaling,

    /// <summary>Replicas are being removed.</summary>
    [JsonStringEnumMemberName("DOWNSCALING")]
    Downscaling,
}

/// <summary>Event that led to a deployment's status. Serialized as Ray Serve's upper-case names.</summary>
public enum DeploymentStatusTrigger
{
    /// <summary>No particular event.</summary>
    [JsonStringEnumMemberName("UNSPECIFIED")]
    Unspecified,

    /// <summary>New code or settings were requested.</summary>
    [JsonStringEnumMemberName("CONFIG_UPDATE_STARTED")]
    ConfigUpdateStarted,

    /// <summary>New code or settings were applied.</summary>
    [JsonStringEnumMemberName("CONFIG_UPDATE_COMPLETED")]
    ConfigUpdateCompleted,

    /// <summary>The requested additional replicas are running.</summary>
    [JsonStringEnumMemberName("UPSCALE_COMPLETED")]
    UpscaleCompleted,

    /// <summary>The surplus replicas have been stopped.</summary>
    [JsonStringEnumMemberName("DOWNSCALE_COMPLETED")]
    DownscaleCompleted,

    /// <summary>The autoscaler changed the number of replicas.</summary>
    [JsonStringEnumMemberName("AUTOSCALING")]
    Autoscaling,

    /// <summary>An operator requested more replicas.</summary>
    [JsonStringEnumMemberName("MANUALLY_INCREASE_NUM_REPLICAS")]
    ManuallyIncreaseNumReplicas,

    /// <summary>An operator requested fewer replicas.</summary>
    [JsonStringEnumMemberName("MANUALLY_DECREASE_NUM_REPLICAS")]
    ManuallyDecreaseNumReplicas,

    /// <summary>A replica failed to start.</summary>
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
