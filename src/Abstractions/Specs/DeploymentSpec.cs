using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>
/// Complete settings of a deployment: all sources merged over the defaults. This type is the description of the settings: names, defaults, ranges and the impact of
/// a change. Names and, unless stated otherwise, defaults are Ray Serve's. A new setting needs a property here and one in <see cref="DeploymentOptions"/>.
/// </summary>
public sealed record DeploymentSpec
{
    /// <summary>All defaults.</summary>
    public static DeploymentSpec Default { get; } = new() { Name = "default" };

    /// <summary>Name, unique within the application. Default: the class's name.</summary>
    [UpdateImpact(UpdateImpact.Restart)]
    [ConfigKey(ConfigFormat.Name, Required = "names the deployment that these settings are for")]
    public required string Name { get; init; }

    /// <summary>
    /// Number of replicas, 0 to 10000, or <c>auto</c>; with <see cref="Autoscaling"/>, the number when the deployment is created. Default 1.
    /// </summary>
    [UpdateImpact(UpdateImpact.None)]
    [ConfigKey(Minimum = 0, Maximum = 10_000)]
    public int NumReplicas { get; init; } = 1;

    /// <summary>How the number of replicas follows the load. <c>autoscaling_config</c> in a file. Default null: it is <see cref="NumReplicas"/>.</summary>
    [UpdateImpact(UpdateImpact.None)]
    public AutoscalingSpec? Autoscaling { get; init; }

    /// <summary>Maximum number of concurrent requests of a replica, at least 1; it refuses further ones. Default 100 (Ray: 5).</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    [ConfigKey(Minimum = 1, Maximum = 1 << 29)]
    public int MaxOngoingRequests { get; init; } = 100;

    /// <summary>Maximum number of requests that a router queues when all replicas are full; -1 is no limit. Default 1000 (Ray: no limit).</summary>
    [UpdateImpact(UpdateImpact.None)]
    [ConfigKey(Minimum = -1)]
    public int MaxQueuedRequests { get; init; } = 1000;

    /// <summary>Argument of the class's <c>Reconfigure</c>, which is called after the constructor and on every change. Sources are merged key by key. Default null.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    public JsonObject? UserConfig { get; init; }

    /// <summary>Accepted for compatibility with Ray Serve, without effect: a stopping replica ends as soon as it is idle, without polling. In seconds, default 2.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    [ConfigKey(ConfigFormat.Seconds)]
    public double GracefulShutdownWaitLoopS { get; init; } = 2;

    /// <summary>Time that a stopping replica has to finish its requests before it is terminated, in seconds. Default 20.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    [ConfigKey(ConfigFormat.Seconds)]
    public double GracefulShutdownTimeoutS { get; init; } = 20;

    /// <summary>Interval between health checks, in seconds. Default 10.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double HealthCheckPeriodS { get; init; } = 10;

    /// <summary>Timeout of a health check, in seconds. Default 30.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double HealthCheckTimeoutS { get; init; } = 30;

    /// <summary>Maximum number of attempts to construct a replica: the smaller of this and 3 × <see cref="NumReplicas"/>. Default 20.</summary>
    [UpdateImpact(UpdateImpact.None)]
    [ConfigKey(Minimum = 1)]
    public int MaxConstructorRetryCount { get; init; } = 20;

    /// <summary>How requests are distributed over the replicas. <c>request_router_config</c> in a file; merged key by key.</summary>
    [UpdateImpact(UpdateImpact.Reconfigure)]
    public RequestRouterSpec Router { get; init; } = new();

    /// <summary>The gangs that the replicas form. <c>gang_scheduling_config</c> in a file; merged key by key. Default null: none.</summary>
    [UpdateImpact(UpdateImpact.Restart)]
    public GangSchedulingSpec? Gang { get; init; }

    /// <summary>Whether the methods of a replica run concurrently. Default turn-based.</summary>
    [UpdateImpact(UpdateImpact.Restart)]
    public ConcurrencyMode Concurrency { get; init; } = ConcurrencyMode.TurnBased;

    /// <summary>Resources that each replica reserves. Default none. <c>actor_options</c> in a file.</summary>
    [UpdateImpact(UpdateImpact.Restart)]
    public ReplicaResourceSpec Resources { get; init; } = new();
}

/// <summary>Resources that one replica reserves on its node. Amounts are kept to 0.0001.</summary>
public sealed record ReplicaResourceSpec
{
    /// <summary>CPU cores; a fraction shares one. Default 0: a replica is an object in a process and does not occupy a core.</summary>
    [ConfigKey(ConfigFormat.ResourceAmount)]
    public double NumCpus { get; init; }

    /// <summary>GPUs; below 1 shares a GPU, above 1 must be an integer. Default 0.</summary>
    [ConfigKey(ConfigFormat.DeviceAmount)]
    public double NumGpus { get; init; }

    /// <summary>Memory in bytes. Default 0: not accounted for.</summary>
    [ConfigKey(Minimum = 0)]
    public long Memory { get; init; }

    /// <summary>Custom resources by name, as the node was started with. Default none.</summary>
    public ImmutableSortedDictionary<string, double> Resources { get; init; } = ImmutableSortedDictionary<string, double>.Empty;
}

/// <summary>Impact of changing a setting on running replicas.</summary>
public enum UpdateImpact
{
    /// <summary>None: only the controller and the routers use the setting.</summary>
    None,

    /// <summary>Running replicas are reconfigured in place, without a restart.</summary>
    Reconfigure,

    /// <summary>Replicas are replaced; new ones start first.</summary>
    Restart,
}

/// <summary>States the <see cref="UpdateImpact"/> of a setting, from which the steps of a rollout follow.</summary>
/// <param name="impact">Impact of changing the setting.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class UpdateImpactAttribute(UpdateImpact impact) : Attribute
{
    /// <summary>Impact of changing the setting.</summary>
    public UpdateImpact Impact { get; } = impact;
}
