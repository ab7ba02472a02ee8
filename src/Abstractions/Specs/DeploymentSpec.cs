using System.Text.Json.Nodes;

namespace Serve.Specs;

/// <summary>
/// A deployment's settings, complete: the result of merging every source over the defaults stated here. The names and, where not
/// said otherwise, the defaults are Ray Serve's.
/// </summary>
public sealed record DeploymentSpec
{
    /// <summary>Every default in one value.</summary>
    public static DeploymentSpec Default { get; } = new() { Name = "default" };

    /// <summary>Unique within the application. Default: the class's name.</summary>
    [UpdateImpact(UpdateImpact.Restart)]
    public required string Name { get; init; }

    /// <summary>How many replicas to keep running, 0 to 10000. Default 1.</summary>
    [UpdateImpact(UpdateImpact.None)]
    public int NumReplicas { get; init; } = 1;

    /// <summary>How many requests one replica serves at once, at least 1; it refuses more. Default 100 (Ray: 5).</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    public int MaxOngoingRequests { get; init; } = 100;

    /// <summary>How many requests each router queues when all replicas are full; -1 is no limit. Default 1000 (Ray: no limit).</summary>
    [UpdateImpact(UpdateImpact.None)]
    public int MaxQueuedRequests { get; init; } = 1000;

    /// <summary>Handed to <c>Reconfigure</c> after the constructor and on every change. Sources are merged key by key. Default null.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    public JsonObject? UserConfig { get; init; }

    /// <summary>Accepted for compatibility with Ray Serve; has no effect. In Ray, a replica waits this long between checks for ongoing requests; here, a replica is stopped as soon as its last request ends.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    public double GracefulShutdownWaitLoopS { get; init; } = 2;

    /// <summary>Seconds a stopping replica may take to finish its requests before it is ended. Default 20.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    public double GracefulShutdownTimeoutS { get; init; } = 20;

    /// <summary>Seconds between health checks. Default 10.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    public double HealthCheckPeriodS { get; init; } = 10;

    /// <summary>Seconds a health check may take. Default 30.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    public double HealthCheckTimeoutS { get; init; } = 30;

    /// <summary>How often a failing constructor is tried: the lesser of this and 3 × <see cref="NumReplicas"/>. Default 20.</summary>
    [UpdateImpact(UpdateImpact.None)]
    public int MaxConstructorRetryCount { get; init; } = 20;

    /// <summary>How the methods of one replica may overlap. Default turn-based.</summary>
    [UpdateImpact(UpdateImpact.Restart)]
    public ConcurrencyMode Concurrency { get; init; } = ConcurrencyMode.TurnBased;

    /// <summary>What one replica reserves. Default nothing. <c>actor_options</c> in a file.</summary>
    [UpdateImpact(UpdateImpact.Restart)]
    public ReplicaResourceSpec Resources { get; init; } = new();
}
