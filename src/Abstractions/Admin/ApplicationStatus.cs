using System.Text.Json.Serialization;

namespace Serve.Admin;

/// <summary>How an application is. Written in upper case, Ray Serve's own names.</summary>
public enum ApplicationStatus
{
    /// <summary>Known, nothing begun.</summary>
    [JsonStringEnumMemberName("NOT_STARTED")]
    NotStarted,

    /// <summary>Its deployments are being brought to what is wanted.</summary>
    [JsonStringEnumMemberName("DEPLOYING")]
    Deploying,

    /// <summary>What is wanted could not be brought up; the revision that ran before keeps running.</summary>
    [JsonStringEnumMemberName("DEPLOY_FAILED")]
    DeployFailed,

    /// <summary>Every deployment is as wanted.</summary>
    [JsonStringEnumMemberName("RUNNING")]
    Running,

    /// <summary>It was up, and some deployment is below what is wanted and cannot be brought back at once.</summary>
    [JsonStringEnumMemberName("UNHEALTHY")]
    Unhealthy,

    /// <summary>It is being drained and ended.</summary>
    [JsonStringEnumMemberName("DELETING")]
    Deleting,
}
