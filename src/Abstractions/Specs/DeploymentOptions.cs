using System.Text.Json.Nodes;

namespace Serve.Specs;

/// <summary>
/// A deployment's settings as one source states them (the attribute, a config file, the CLI, a REST body): unset keys are null.
/// Layers are merged key by key into a <see cref="DeploymentSpec"/>. In JSON and YAML the names are snake_case, Ray Serve's own.
/// </summary>
public sealed record DeploymentOptions
{
    /// <inheritdoc cref="DeploymentSpec.Name"/>
    public string? Name { get; init; }

    /// <inheritdoc cref="DeploymentSpec.NumReplicas"/>
    public int? NumReplicas { get; init; }

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

    /// <inheritdoc cref="DeploymentSpec.Concurrency"/>
    public ConcurrencyMode? Concurrency { get; init; }

    /// <inheritdoc cref="DeploymentSpec.Resources"/>
    public ReplicaResourceOptions? ActorOptions { get; init; }
}
