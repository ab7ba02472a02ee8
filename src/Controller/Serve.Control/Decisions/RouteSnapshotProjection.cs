using System.Collections.Immutable;
using Serve.Routes;

namespace Serve.Control;

/// <summary>Says what the routes should be, and whether that differs from what was published.</summary>
internal static class RouteSnapshotProjection
{
    /// <summary>The applications' ways in and their replicas, without a version.</summary>
    public static RouteSnapshot Of(DesiredState desired, ILookup<string, DeploymentRolloutResult> outcomes)
    {
        List<DesiredApplication> applications = desired.IsStopping ? [] : [.. desired.Applications.Values.Where(application => !application.IsDeleting)];
        return new()
        {
            Applications = WaysIn(applications),
            Deployments = [.. applications.SelectMany(application => outcomes[application.Name]).Where(outcome => !outcome.Goal.IsLeaving).Select(Route)],
        };
    }

    /// <summary>Whether two snapshots route alike, whatever their versions.</summary>
    public static bool AreEqual(RouteSnapshot one, RouteSnapshot other) =>
        one.Applications.SequenceEqual(other.Applications)
        && one.Deployments.Length == other.Deployments.Length
        && one.Deployments.Zip(other.Deployments).All(pair => AreEqual(pair.First, pair.Second));

    // A new way in counts once what it leads to is up; until then the old one stays, and whoever is to have it next waits.
    private static ImmutableArray<ApplicationRoute> WaysIn(IReadOnlyCollection<DesiredApplication> applications)
    {
        var held = applications.Select(application => application.LastGood?.RoutePrefix).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return
        [
            .. applications.Select(application => application.LastGood is { } good
                ? new ApplicationRoute(application.Name, good.Ingress, good.RoutePrefix)
                : new ApplicationRoute(application.Name, application.Requested.Ingress,
                    application.Requested.RoutePrefix is { } prefix && held.Contains(prefix) ? null : application.Requested.RoutePrefix)),
        ];
    }

    private static bool AreEqual(DeploymentRoute one, DeploymentRoute other) =>
        one with { Replicas = default } == other with { Replicas = default } && one.Replicas.SequenceEqual(other.Replicas);

    private static DeploymentRoute Route(DeploymentRolloutResult outcome)
    {
        var (goal, target) = (outcome.Goal, outcome.Goal.Deployment!);
        return new()
        {
            Application = goal.Id.Application,
            Deployment = goal.Id.Name,
            MaxOngoingRequests = target.Spec.MaxOngoingRequests,
            MaxQueuedRequests = target.Spec.MaxQueuedRequests,
            Unavailable = outcome.Routed.Length > 0 ? null : Unavailable(goal),
            Replicas = [.. outcome.Routed.Where(replica => replica.Process is not null).Select(replica => new ReplicaRoute(replica.Id.ToString(), replica.Process!))],
        };
    }

    private static string? Unavailable(DeploymentGoal goal) => goal switch
    {
        { TargetReplicas: 0 } => $"{goal.Id} is scaled to 0 replicas.",
        { IsFrozen: true, Failure: { } failure } => $"{goal.Id} {failure}",
        _ => null,
    };
}
