using Serve.Control.Desired;
using Serve.Control.Observed;

namespace Serve.Control.Rollout;

/// <summary>Resolves the goal of each deployment: the requested version, or the last good version when the requested one cannot be started.</summary>
internal static class DeploymentGoalResolver
{
    /// <summary>
    /// Returns one goal per deployment of an application, including deployments that the requested revision no longer defines but that still have
    /// replicas (their goal is zero replicas).
    /// </summary>
    public static IEnumerable<DeploymentGoal> ResolveAll(DesiredApplication application, DesiredState desired, ObservedState observed)
    {
        var names = application.Requested.Deployments.Keys
            .Concat(application.LastGood?.Deployments.Keys ?? [])
            .Concat(observed.Replicas.Values.Where(replica => replica.Id.Deployment.Application == application.Name).Select(replica => replica.Id.Deployment.Name))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var id = new DeploymentId(application.Name, name);
            yield return application.IsDeleting || desired.IsStopping ? new(id) : Resolve(id, application, observed);
        }
    }

    private static DeploymentGoal Resolve(DeploymentId id, DesiredApplication application, ObservedState observed)
    {
        var lastGood = application.LastGood?.Find(id.Name);
        if (application.Requested.Find(id.Name) is not { } requested)
        {
            // A removed deployment keeps running until the requested revision runs, because a rollback would need it.
            var isPromoted = application.LastGood?.Number == application.Requested.Number;
            return isPromoted || lastGood is null ? new(id) : Rollback(id, application, lastGood);
        }

        var history = observed.StartHistoryOf(ReplicaStartKey.Of(id, requested));
        var target = application.TargetOf(requested);
        var wasRunning = lastGood is not null && lastGood.IsSameAs(requested);
        var replicas = RunningReplicas(application, requested, target);
        var failure = replicas == 0 ? null : StartFailure(requested, replicas, history, observed, wasRunning);
        if (failure is not null && !wasRunning && lastGood is not null)
            return Rollback(id, application, lastGood) with { Failure = failure };
        var needsFallback = failure is null && lastGood is not null && lastGood.Version != requested.Version && !history.HasRun;
        return new(id)
        {
            Revision = application.Requested,
            Deployment = requested,
            TargetReplicas = replicas,
            WakesOnRequest = WakesOnRequest(application, requested, target),
            FallbackRevision = needsFallback ? application.LastGood : null,
            FallbackDeployment = needsFallback ? lastGood : null,
            IsFrozen = failure is not null,
            Failure = failure,
        };
    }

    private static DeploymentGoal Rollback(DeploymentId id, DesiredApplication application, DeploymentRevision lastGood)
    {
        var target = application.LastGoodTargetOf(lastGood);
        return new(id)
        {
            Revision = application.LastGood,
            Deployment = lastGood,
            TargetReplicas = RunningReplicas(application, lastGood, target),
            WakesOnRequest = WakesOnRequest(application, lastGood, target),
        };
    }

    // The autoscaler's targets are within bounds that the capacity has already reduced.
    private static int RunningReplicas(DesiredApplication application, DeploymentRevision deployment, ReplicaTarget target) =>
        deployment.InWholeGangs(deployment.Spec.Autoscaling is null
            ? application.CapacityOf(target.Replicas) : Math.Min(target.Replicas, application.CapacityOf(deployment.Spec.Autoscaling.MaxReplicas)));

    private static bool WakesOnRequest(DesiredApplication application, DeploymentRevision deployment, ReplicaTarget target) =>
        deployment.Spec.Autoscaling is { } autoscaling && target.Unloaded is null && application.CapacityOf(autoscaling.MaxReplicas) > 0;

    /// <summary>Returns why the requested version cannot be started, or null while it may succeed.</summary>
    private static string? StartFailure(DeploymentRevision requested, int replicas, ReplicaStartHistory history, ObservedState observed, bool wasRunning)
    {
        if (UnplaceableReason(ResourceAmounts.Of(requested.Spec.Resources), history, observed) is { } reason)
            return reason;

        if (!wasRunning && history.FailedUpdates >= ReconciliationIntervals.UpdateAttempts)
            return $"a replica failed to apply the new settings; last error: {history.Error}";

        // A version that has run before is retried indefinitely: its dependencies may come back.
        var limit = Math.Max(1, Math.Min(3 * replicas, requested.Spec.MaxConstructorRetryCount));
        return !wasRunning && history.Failures >= limit
            ? $"failed to start {history.Failures} times; last error: {history.Error}"
            : null;
    }

    private static string? UnplaceableReason(ResourceAmounts demand, ReplicaStartHistory history, ObservedState observed)
    {
        var large = observed.Nodes.Values.Where(node => node.Total is null || demand.FitsIn(node.Total)).ToList();
        if (large.Exists(node => !history.UnsuitableNodes.Contains(node.Id)) || observed.Nodes.IsEmpty)
            return null;
        if (large.Count > 0)
            return $"no node can host a replica: {history.Shortage}";
        var largest = observed.Nodes.Values.Select(node => node.Total!).MinBy(demand.CountShortages)!;
        return $"no node can host a replica: {demand.DescribeShortage(largest, "the largest node has")}{demand.DescribeGpuDetection(largest)}";
    }
}
