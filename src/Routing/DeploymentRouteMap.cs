using System.Collections.Frozen;
using System.Collections.Immutable;
using Serve.Routes;

namespace Serve.Routing;

/// <summary>Where to find the router of every deployment, at one snapshot. Immutable; readers hold it as long as they like.</summary>
public sealed class DeploymentRouteMap
{
    private readonly FrozenDictionary<DeploymentId, DeploymentRouter> _routers;
    private readonly FrozenDictionary<string, ApplicationRouteEntry> _applications;
    private readonly ILookup<string, DeploymentRouter> _byName;

    internal DeploymentRouteMap(RouteSnapshot snapshot, FrozenDictionary<DeploymentId, DeploymentRouter> routers)
    {
        Version = snapshot.Version;
        this._routers = routers;
        _byName = routers.Values.ToLookup(router => router.Id.Name, StringComparer.Ordinal);
        var entries = snapshot.Applications
            .Where(route => routers.ContainsKey(new DeploymentId(route.Application, route.Ingress)))
            .Select(route => new ApplicationRouteEntry(route, routers[new DeploymentId(route.Application, route.Ingress)]));
        _applications = entries.ToFrozenDictionary(entry => entry.Route.Application, StringComparer.Ordinal);
        ByLongestPrefix = [.. _applications.Values
            .Where(entry => entry.Route.RoutePrefix is not null)
            .OrderByDescending(entry => entry.Route.RoutePrefix!.Length)
            .ThenBy(entry => entry.Route.RoutePrefix, StringComparer.Ordinal)];
    }

    /// <summary>The snapshot's version.</summary>
    public long Version { get; }

    /// <summary>The applications that answer HTTP, longest route prefix first.</summary>
    public ImmutableArray<ApplicationRouteEntry> ByLongestPrefix { get; }

    /// <summary>Finds an application.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The application; null when there is none.</returns>
    public ApplicationRouteEntry? FindApplication(string name) => _applications.GetValueOrDefault(name);

    /// <summary>Finds a deployment by the names a handle may use.</summary>
    /// <param name="deployment">A deployment's name, or an application's for its ingress.</param>
    /// <param name="application">The deployment's application; null when the name says enough.</param>
    /// <returns>Its router.</returns>
    /// <exception cref="NoSuchRouteException">There is none, or the name alone is ambiguous.</exception>
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
            throw new NoSuchRouteException($"'{deployment}' names several deployments: {candidates}. Name the application too.");
        }

        return _applications.GetValueOrDefault(deployment)?.Ingress
            ?? throw new NoSuchRouteException($"There is no deployment and no application '{deployment}'.");
    }

    internal IEnumerable<DeploymentRouter> Routers => _routers.Values;

    internal DeploymentRouter? Get(DeploymentId id) => _routers.GetValueOrDefault(id);
}
