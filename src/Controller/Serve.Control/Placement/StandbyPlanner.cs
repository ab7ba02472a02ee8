using System.Collections.Immutable;
using Serve.Control.Desired;

namespace Serve.Control.Placement;

/// <summary>Plans the resources that are kept ready for applications with deployments that may scale to zero. Pure.</summary>
public static class StandbyPlanner
{
    /// <summary>Returns how many workers without replicas each node keeps, at most <paramref name="maxWorkers"/>, and the packages whose files it keeps cached.</summary>
    public static (int Workers, ImmutableArray<string> Packages) Plan(DesiredState desired, int maxWorkers)
    {
        // Not only while there are no replicas: the start of a replica must find the worker.
        var revisions = desired.IsStopping ? [] : desired.Applications.Values
            .Where(application => !application.IsDeleting && application.Requested.Deployments.Values.Any(deployment =>
                application.IsAutoscaled(deployment) && application.CapacityOf(deployment.Spec.Autoscaling!.MinReplicas) == 0 && application.CapacityOf(deployment.Spec.Autoscaling.MaxReplicas) > 0))
            .Select(application => application.Requested)
            .ToList();
        return (
            Math.Min(maxWorkers, revisions.Count(revision => revision.Isolation != IsolationMode.None)),
            [.. revisions.Select(revision => revision.Package.Hash).Distinct(StringComparer.Ordinal)]);
    }
}
