using System.Collections.Immutable;

namespace Serve.Routes;

/// <summary>
/// Where everything is, at one version: what the controller publishes and every gateway and handle routes by. Replaced whole;
/// a snapshot with a lower version than the one in use is ignored.
/// </summary>
public sealed record RouteSnapshot
{
    /// <summary>The topic under which snapshots reach worker processes.</summary>
    public const string Topic = "routes";

    /// <summary>Nothing deployed.</summary>
    public static RouteSnapshot Empty { get; } = new();

    /// <summary>Grows by one with every publication of a node.</summary>
    public long Version { get; init; }

    /// <summary>Which application answers under which route prefix.</summary>
    public ImmutableArray<ApplicationRoute> Applications { get; init; } = [];

    /// <summary>Every deployment and its replicas that may be sent requests.</summary>
    public ImmutableArray<DeploymentRoute> Deployments { get; init; } = [];
}
