using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Serve.Routes;

/// <summary>
/// An immutable, versioned routing table: published by the controller, used by every gateway and handle. A process ignores a snapshot with a lower version than
/// its current one.
/// </summary>
public sealed record RouteSnapshot
{
    /// <summary>The topic under which snapshots are published.</summary>
    public const string Topic = "routes";

    /// <summary>A snapshot without routes.</summary>
    public static RouteSnapshot Empty { get; } = new();

    /// <summary>The version: the controller's epoch and a number that grows with every publication.</summary>
    public SnapshotVersion Version { get; init; }

    /// <summary>The applications' routes.</summary>
    public ImmutableArray<ApplicationRoute> Applications { get; init; } = [];

    /// <summary>The deployments' routes.</summary>
    public ImmutableArray<DeploymentRoute> Deployments { get; init; } = [];
}

/// <summary>Route of an application's HTTP requests.</summary>
/// <param name="Application">The application's name.</param>
/// <param name="Ingress">Name of the deployment that answers HTTP.</param>
/// <param name="RoutePrefix">The path prefix; null if it has none.</param>
public sealed record ApplicationRoute(string Application, string Ingress, string? RoutePrefix)
{
    /// <summary>The second revision; null if there is none, or if it cannot receive requests.</summary>
    public CanaryRoute? Canary { get; init; }
}

/// <summary>The replicas of one deployment and the limits that routers enforce.</summary>
public sealed record DeploymentRoute
{
    /// <summary>The deployment's application.</summary>
    public required string Application { get; init; }

    /// <summary>The deployment's name.</summary>
    public required string Deployment { get; init; }

    /// <summary>Maximum number of concurrent requests per replica.</summary>
    public required int MaxOngoingRequests { get; init; }

    /// <summary>Maximum number of queued requests per router; -1 for no limit.</summary>
    public required int MaxQueuedRequests { get; init; }

    /// <summary>Why no replica is being started; null while one is or may be. Without replicas, requests fail immediately if there is a reason, and are queued otherwise.</summary>
    public string? Unavailable { get; init; }

    /// <summary>Whether, without replicas, a queued request is reported to the controller so that a replica is started.</summary>
    public bool WakesOnRequest { get; init; }

    /// <summary>How the replica of a request is selected.</summary>
    public RoutingRule Routing { get; init; } = RoutingRule.Default;

    /// <summary>Whether routers report the deployment's load to the controller.</summary>
    public bool ReportsLoad { get; init; }

    /// <summary>The replicas that may receive requests.</summary>
    public ImmutableArray<ReplicaRoute> Replicas { get; init; } = [];

    /// <summary>The deployment's id.</summary>
    [JsonIgnore]
    public DeploymentId Id => new(Application, Deployment);
}

/// <summary>One replica and how to reach it.</summary>
/// <param name="ReplicaId">The replica's id as text; also its actor's id.</param>
/// <param name="Address">Its host process.</param>
public sealed record ReplicaRoute(string ReplicaId, ReplicaAddress Address);

/// <summary>How to reach the process that hosts a replica. Contains the process's token, so snapshots must not leave the node unencrypted.</summary>
/// <param name="Node">The node.</param>
/// <param name="ProcessId">Id of the node's or the worker's process. A caller with the same id is in the same process.</param>
/// <param name="HttpAddress">Base address of forwarded HTTP requests; null if no other process needs it.</param>
/// <param name="Http2Address">Base address of forwarded HTTP/2 requests without TLS; null likewise.</param>
/// <param name="CallAddress">Base address of calls; null likewise.</param>
/// <param name="Token">The token that callers present; null if there are no addresses.</param>
public sealed record ReplicaAddress(
    NodeId Node, string ProcessId, string? HttpAddress = null, string? Http2Address = null, string? CallAddress = null, string? Token = null);
