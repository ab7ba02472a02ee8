namespace Serve.Routes;

/// <summary>One application's way in.</summary>
/// <param name="Application">The application's name.</param>
/// <param name="Ingress">The name of the deployment that answers HTTP.</param>
/// <param name="RoutePrefix">Its route prefix; null when it has none.</param>
public sealed record ApplicationRoute(string Application, string Ingress, string? RoutePrefix);
