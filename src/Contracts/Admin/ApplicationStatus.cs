using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>Status of an application. Serialized as Ray Serve's upper-case names.</summary>
public enum ApplicationStatus
{
    /// <summary>Known, but deployment has not started.</summary>
    [JsonStringEnumMemberName("NOT_STARTED")]
    NotStarted,

    /// <summary>Its deployments are being brought to the requested state.</summary>
    [JsonStringEnumMemberName("DEPLOYING")]
    Deploying,

    /// <summary>The requested revision could not be started; the previous revision keeps running.</summary>
    [JsonStringEnumMemberName("DEPLOY_FAILED")]
    DeployFailed,

    /// <summary>Every deployment is in the requested state.</summary>
    [JsonStringEnumMemberName("RUNNING")]
    Running,

    /// <summary>It was running; now a deployment has fewer replicas than its target and cannot replace them immediately.</summary>
    [JsonStringEnumMemberName("UNHEALTHY")]
    Unhealthy,

    /// <summary>It is being drained and removed.</summary>
    [JsonStringEnumMemberName("DELETING")]
    Deleting,
}
