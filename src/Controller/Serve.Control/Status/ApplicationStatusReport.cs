using System.Collections.Immutable;
using Serve.Admin;
using Serve.Control.Autoscaling;
using Serve.Control.Desired;

namespace Serve.Control.Status;

/// <summary>Reported status of an application.</summary>
public sealed record ApplicationStatusReport(
    ApplicationStatus Status, string Message, ImmutableSortedDictionary<string, DeploymentStatusReport> Deployments);

/// <summary>Reported status of a deployment; <paramref name="Deployment"/> is the revision that is kept running, null if the deployment is being removed.</summary>
public sealed record DeploymentStatusReport(
    DeploymentStatus Status, DeploymentStatusTrigger Trigger, string Message, int TargetReplicas, DeploymentRevision? Deployment)
{
    /// <summary>State of the autoscaling; null if the number of replicas does not follow the load.</summary>
    public AutoscalingState? Autoscaling { get; init; }
}
