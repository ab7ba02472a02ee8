using System.Collections.Immutable;
using Serve.Control.Desired;
using Serve.Routes;

namespace Serve.Control.Rollout;

/// <summary>Derives the routes from the results of the rollouts.</summary>
internal static class RouteSnapshotProjection
{
    /// <summary>Returns the routes of all applications and deployments, without a version.</summary>
    public static RouteSnapshot Of(DesiredState desired, ILookup<string, DeploymentRolloutResult> results)
    {
        List<DesiredApplication> applications = desired.IsStopping ? [] : [.. desired.Applications.Values.Where(application => !application.IsDeleting)];
        return new()
        {
            Applications = ApplicationRoutes([.. applications.Where(application => application.Canary is null)], applications, results),
            Deployments = [.. applications.SelectMany(application => results[application.Name].Where(result => !result.Goal.IsLeaving).Select(result => RouteOf(application, result)))],
        };
    }

    /// <summary>Returns whether two snapshots have the same routes, whatever their versions.</summary>
    public static bool AreEqual(RouteSnapshot one, RouteSnapshot other) =>
        one.Applications.SequenceEqual(other.Applications)
        && one.Deployments.Length == other.Deployments.Length
        && one.Deployments.Zip(other.Deployments).All(pair => AreEqual(pair.First, pair.Second));

    // A changed route takes effect once its revision runs. Until then the old one stays, and a prefix that it occupies is not given to another application.
    private static ImmutableArray<ApplicationRoute> ApplicationRoutes(
        IReadOnlyCollection<DesiredApplication> applications, IReadOnlyCollection<DesiredApplication> all, ILookup<string, DeploymentRolloutResult> results)
    {
        var occupied = applications.Select(application => application.LastGood?.RoutePrefix).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return
        [
            .. applications.Select(application => (application.LastGood is { } good
                ? new ApplicationRoute(application.Name, good.Ingress, good.RoutePrefix)
                : new ApplicationRoute(application.Name, application.Requested.Ingress,
                    application.Requested.RoutePrefix is { } prefix && occupied.Contains(prefix) ? null : application.Requested.RoutePrefix)) with
            {
                Canary = all.FirstOrDefault(other => other.Canary is not null && other.Name == CanaryName.Of(application.Name)) is { } canary ? CanaryRouteOf(canary, results[canary.Name]) : null,
            }),
        ];
    }

    // Before its deployments have run once, and while its ingress has no replica, all requests are sent to the stable revision.
    private static CanaryRoute? CanaryRouteOf(DesiredApplication canary, IEnumerable<DeploymentRolloutResult> results)
    {
        if (canary.LastGood is not { } revision || results.FirstOrDefault(result => result.Goal.Id.Name == revision.Ingress) is not { } ingress
            || (ingress.Routed.IsEmpty && ingress.Goal is not { TargetReplicas: 0, WakesOnRequest: true }))
            return null;
        var (state, settings, shadow) = (canary.Canary!, canary.Canary!.Settings, canary.Canary.Shadow);
        var header = settings?.Header?.Split('=', 2);
        return new()
        {
            Application = canary.Name,
            Ingress = revision.Ingress,
            Revision = canary.Requested.Number,
            Percent = state.Percent,
            HeaderName = header?[0],
            HeaderValue = header?[1],
            Key = settings?.Key,
            ShadowPercent = shadow?.Percent ?? 0,
            ShadowMaxBodyBytes = shadow?.MaxBodyBytes ?? 0,
            ShadowMaxConcurrentRequests = shadow?.MaxConcurrentRequests ?? 0,
        };
    }

    private static bool AreEqual(DeploymentRoute one, DeploymentRoute other) =>
        one with { Replicas = default } == other with { Replicas = default } && one.Replicas.SequenceEqual(other.Replicas);

    private static DeploymentRoute RouteOf(DesiredApplication application, DeploymentRolloutResult result)
    {
        var (goal, deployment) = (result.Goal, result.Goal.Deployment!);
        return new()
        {
            Application = goal.Id.Application,
            Deployment = goal.Id.Name,
            MaxOngoingRequests = deployment.Spec.MaxOngoingRequests,
            MaxQueuedRequests = deployment.Spec.MaxQueuedRequests,
            Unavailable = result.Routed.Length > 0 ? null : UnavailableReason(goal),
            Routing = RuleOf(application, deployment),
            ReportsLoad = deployment.Spec.Autoscaling is not null,
            WakesOnRequest = goal is { TargetReplicas: 0, WakesOnRequest: true },
            Replicas = [.. result.Routed.Where(replica => replica.Address is not null).Select(replica => new ReplicaRoute(replica.Id.ToString(), replica.Address!))],
        };
    }

    private static RoutingRule RuleOf(DesiredApplication application, DeploymentRevision deployment)
    {
        var router = deployment.Spec.Router;
        if (router.RequestRouterClass is null)
            return router is { Policy: RoutingPolicy.PowerOfTwo, Key: null } ? RoutingRule.Default : new() { Policy = router.Policy, Key = router.Key };
        var package = (ReferenceEquals(application.LastGood?.Find(deployment.Spec.Name), deployment) ? application.LastGood! : application.Requested).Package;
        return new()
        {
            Key = router.Key,
            PickerClass = package.FindPickerClass(router.RequestRouterClass),
            Kwargs = router.RequestRouterKwargs?.ToJsonString(),
            PackageHash = package.Hash,
            AssemblyFile = package.AssemblyFile,
        };
    }

    private static string? UnavailableReason(DeploymentGoal goal) => goal switch
    {
        { TargetReplicas: 0, WakesOnRequest: false } => $"{goal.Id} is scaled to 0 replicas.",
        { IsFrozen: true, Failure: { } failure } => $"{goal.Id}: {failure}",
        _ => null,
    };
}
