namespace Serve.Control;

/// <summary>Chooses each deployment's goal: what was asked for, or the way back when that has failed.</summary>
internal static class DeploymentGoalResolver
{
    /// <summary>The goals of an application's deployments, dropped ones that still have replicas among them.</summary>
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
        var good = application.LastGood?.Find(id.Name);
        if (application.Requested.Find(id.Name) is not { } target)
        {
            // A deployment that the new revision drops stays until that revision is up: the way back may need it.
            var isSettled = application.LastGood?.Number == application.Requested.Number;
            return isSettled || good is null
                ? new(id)
                : new(id) { Revision = application.LastGood, Deployment = good, TargetReplicas = good.Spec.NumReplicas };
        }

        var history = observed.StartHistoryOf(ReplicaStartKey.Of(id, target));
        var isGood = good is not null && good.IsSameAs(target);
        var failure = target.Spec.NumReplicas == 0 ? null : StartFailure(target, history, observed, isGood);
        if (failure is null || isGood)
        {
            var needsFallback = good is not null && good.Version != target.Version && !history.HasRun;
            return new(id)
            {
                Revision = application.Requested,
                Deployment = target,
                TargetReplicas = target.Spec.NumReplicas,
                FallbackRevision = needsFallback ? application.LastGood : null,
                FallbackDeployment = needsFallback ? good : null,
                IsFrozen = failure is not null,
                Failure = failure,
            };
        }

        return good is not null
            ? new(id) { Revision = application.LastGood, Deployment = good, TargetReplicas = good.Spec.NumReplicas, Failure = failure }
            : new(id) { Revision = application.Requested, Deployment = target, TargetReplicas = target.Spec.NumReplicas, IsFrozen = true, Failure = failure };
    }

    private static string? StartFailure(DeploymentRevision target, ReplicaStartHistory history, ObservedState observed, bool isGood)
    {
        var demand = ResourceAmounts.Of(target.Spec.Resources);
        if (observed.Resources is { } resources && !demand.FitsIn(resources.Total))
            return $"can never be placed on this node: {demand.DescribeShortage(resources.Total, "the node has")}{demand.DescribeGpuDetection(resources.Total)}";
        if (history.IsUnplaceable)
            return $"can never be placed on this node: {history.Shortage}";

        // A version that was up before is tried for ever: what it waits for may come back.
        var limit = Math.Max(1, Math.Min(3 * target.Spec.NumReplicas, target.Spec.MaxConstructorRetryCount));
        return !isGood && history.Failures >= limit
            ? $"gave up after {history.Failures} tries: {history.Error}"
            : null;
    }
}
