using System.Collections.Frozen;
using System.Collections.Immutable;
using Serve.Routes;

namespace Serve.Routing;

/// <summary>Immutable lookup of routers by deployment, application and route prefix, for one snapshot.</summary>
public sealed class DeploymentRouteMap
{
    private readonly FrozenDictionary<DeploymentId, DeploymentRouter> _routers;
    private readonly FrozenDictionary<string, ApplicationRouteEntry> _applications;
    private readonly ILookup<string, DeploymentRouter> _byName;

    internal DeploymentRouteMap(RouteSnapshot snapshot, FrozenDictionary<DeploymentId, DeploymentRouter> routers, Func<CanaryRoute, RevisionRequestMeter> meterOf)
    {
        Version = snapshot.Version;
        _routers = routers;
        _byName = routers.Values.Where(router => CanaryName.ApplicationOf(router.Id.Application) is null).ToLookup(router => router.Id.Name, StringComparer.Ordinal);
        var entries = snapshot.Applications
            .Where(route => routers.ContainsKey(new DeploymentId(route.Application, route.Ingress)))
            .Select(route => new ApplicationRouteEntry(route, routers[new DeploymentId(route.Application, route.Ingress)])
            {
                Canary = route.Canary is { } canary && routers.TryGetValue(new DeploymentId(canary.Application, canary.Ingress), out var ingress)
                    ? new(canary, new(new(canary.Application, canary.Ingress, route.RoutePrefix), ingress), meterOf(canary))
                    : null,
            });
        _applications = entries.ToFrozenDictionary(entry => entry.Route.Application, StringComparer.Ordinal);
        ByLongestPrefix = [.. _applications.Values
            .Where(entry => entry.Route.RoutePrefix is not null)
            .OrderByDescending(entry => entry.Route.RoutePrefix!.Length)
            .ThenBy(entry => entry.Route.RoutePrefix, StringComparer.Ordinal)];
    }

    /// <summary>The snapshot's version.</summary>
    public SnapshotVersion Version { get; }

    /// <summary>The applications that answer HTTP, longest route prefix first.</summary>
    public ImmutableArray<ApplicationRouteEntry> ByLongestPrefix { get; }

    /// <summary>Returns an application; null if there is none of that name.</summary>
    public ApplicationRouteEntry? FindApplication(string name) => _applications.GetValueOrDefault(name);

    /// <summary>Finds a deployment by the names that a handle uses.</summary>
    /// <param name="deployment">Name of a deployment, or of an application for its ingress.</param>
    /// <param name="application">Name of the application; null if <paramref name="deployment"/> is unambiguous.</param>
    /// <exception cref="NoSuchRouteException">There is no such deployment, or the name is ambiguous.</exception>
    public DeploymentRouter FindDeployment(string deployment, string? application)
    {
        if (application is not null)
        {
            return _routers.GetValueOrDefault(new DeploymentId(application, deployment))
                ?? throw new NoSuchRouteException($"Application '{application}' has no deployment '{deployment}'.");
        }

        var found = _byName[deployment].ToArray();
        if (found.Length == 1)
            return found[0];
        if (found.Length > 1)
        {
            var candidates = string.Join(", ", found.Select(router => router.Id.ToString()).Order(StringComparer.Ordinal));
            throw new NoSuchRouteException($"The deployment name '{deployment}' is ambiguous: {candidates}. Specify the application too.");
        }

        return _applications.GetValueOrDefault(deployment)?.Ingress
            ?? throw new NoSuchRouteException($"No deployment or application is named '{deployment}'.");
    }

    /// <summary>The applications with a second revision.</summary>
    public IEnumerable<ApplicationRouteEntry> WithCanary => _applications.Values.Where(entry => entry.Canary is not null);

    /// <summary>Finds the second revision of a deployment.</summary>
    /// <param name="id">The deployment.</param>
    /// <returns>The choice between both; null if there is one revision only, or if the second has no such deployment.</returns>
    public CanarySplit? FindSplit(DeploymentId id) =>
        _applications.GetValueOrDefault(id.Application)?.Canary is { } split && _routers.ContainsKey(new(split.Route.Application, id.Name)) ? split : null;

    /// <summary>Returns whether a deployment has replicas.</summary>
    public bool CanServe(DeploymentId id) => _routers.TryGetValue(id, out var router) && router.Replicas.Count > 0;

    /// <summary>Returns whether a deployment has no replicas.</summary>
    public bool IsWaiting(DeploymentId id) => _routers.TryGetValue(id, out var router) && router.Replicas.Count == 0;

    /// <summary>The routers of the deployments whose load the controller needs.</summary>
    public IEnumerable<DeploymentRouter> WithReportedLoad => _routers.Values.Where(router => router.ReportsLoad);

    internal IEnumerable<DeploymentRouter> Routers => _routers.Values;

    internal DeploymentRouter? Get(DeploymentId id) => _routers.GetValueOrDefault(id);
}

/// <summary>An application's route and the router of its ingress deployment.</summary>
public sealed record ApplicationRouteEntry(ApplicationRoute Route, DeploymentRouter Ingress)
{
    /// <summary>The second revision; null if there is none.</summary>
    public CanarySplit? Canary { get; init; }
}
