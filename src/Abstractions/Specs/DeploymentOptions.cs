using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>
/// Settings of a deployment from one source (attribute, config file, CLI or REST body); null where the source does not set a key. The sources are merged
/// key by key into a <see cref="DeploymentSpec"/>, which describes the settings. In JSON and YAML the names are snake_case, as in Ray Serve.
/// </summary>
public sealed record DeploymentOptions
{
    /// <inheritdoc cref="DeploymentSpec.Name"/>
    public string? Name { get; init; }

    /// <inheritdoc cref="DeploymentSpec.NumReplicas"/>
    public ReplicaCount? NumReplicas { get; init; }

    /// <inheritdoc cref="DeploymentSpec.Autoscaling"/>
    public AutoscalingOptions? AutoscalingConfig { get; init; }

    /// <inheritdoc cref="DeploymentSpec.MaxOngoingRequests"/>
    public int? MaxOngoingRequests { get; init; }

    /// <inheritdoc cref="DeploymentSpec.MaxQueuedRequests"/>
    public int? MaxQueuedRequests { get; init; }

    /// <inheritdoc cref="DeploymentSpec.UserConfig"/>
    public JsonObject? UserConfig { get; init; }

    /// <inheritdoc cref="DeploymentSpec.GracefulShutdownWaitLoopS"/>
    public double? GracefulShutdownWaitLoopS { get; init; }

    /// <inheritdoc cref="DeploymentSpec.GracefulShutdownTimeoutS"/>
    public double? GracefulShutdownTimeoutS { get; init; }

    /// <inheritdoc cref="DeploymentSpec.HealthCheckPeriodS"/>
    public double? HealthCheckPeriodS { get; init; }

    /// <inheritdoc cref="DeploymentSpec.HealthCheckTimeoutS"/>
    public double? HealthCheckTimeoutS { get; init; }

    /// <inheritdoc cref="DeploymentSpec.MaxConstructorRetryCount"/>
    public int? MaxConstructorRetryCount { get; init; }

    /// <inheritdoc cref="DeploymentSpec.Router"/>
    public RequestRouterOptions? RequestRouterConfig { get; init; }

    /// <inheritdoc cref="DeploymentSpec.Gang"/>
    public GangSchedulingOptions? GangSchedulingConfig { get; init; }

    /// <inheritdoc cref="DeploymentSpec.Concurrency"/>
    public ConcurrencyMode? Concurrency { get; init; }

    /// <inheritdoc cref="DeploymentSpec.Resources"/>
    [ConfigKey(Alias = "ray_actor_options")]
    public ReplicaResourceOptions? ActorOptions { get; init; }
}

/// <summary>Resources of one replica from one source; null where the source does not set a key. <c>actor_options</c>, or Ray's <c>ray_actor_options</c>, in a file.</summary>
public sealed record ReplicaResourceOptions
{
    /// <inheritdoc cref="ReplicaResourceSpec.NumCpus"/>
    public double? NumCpus { get; init; }

    /// <inheritdoc cref="ReplicaResourceSpec.NumGpus"/>
    public double? NumGpus { get; init; }

    /// <inheritdoc cref="ReplicaResourceSpec.Memory"/>
    public long? Memory { get; init; }

    /// <inheritdoc cref="ReplicaResourceSpec.Resources"/>
    public IReadOnlyDictionary<string, double>? Resources { get; init; }
}
