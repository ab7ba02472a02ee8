using Serve.Admin;

namespace Serve.Control;

/// <summary>How a deployment is, for people; <paramref name="Deployment"/> is the settings that are kept up, null when it is going.</summary>
public sealed record DeploymentStatusReport(
    DeploymentStatus Status, DeploymentStatusTrigger Trigger, string Message, int TargetReplicas, DeploymentRevision? Deployment);
