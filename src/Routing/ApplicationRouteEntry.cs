using Serve.Routes;

namespace Serve.Routing;

/// <summary>An application's way in, with the router of its ingress deployment.</summary>
/// <param name="Route">Its name and route prefix.</param>
/// <param name="Ingress">Routes its HTTP requests.</param>
public sealed record ApplicationRouteEntry(ApplicationRoute Route, DeploymentRouter Ingress);
