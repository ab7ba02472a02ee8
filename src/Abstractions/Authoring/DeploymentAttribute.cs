using System.Reflection;
using Serve.Specs;

namespace Serve;

/// <summary>
/// Marks a class as a deployment. Properties that are not set have the defaults of <see cref="DeploymentSpec"/>; a config file, the CLI and the REST API override
/// them, key by key.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class DeploymentAttribute : Attribute
{
    private DeploymentOptions _options = new();
    private ReplicaResourceOptions? _resources;

    /// <summary>Declares a deployment that is named after its class.</summary>
    public DeploymentAttribute()
    {
    }

    /// <summary>Declares a deployment.</summary>
    /// <param name="name">Name, unique within the application.</param>
    public DeploymentAttribute(string name) => Name = name;

    /// <summary>Name of the deployment. Default: the class's name.</summary>
    public string? Name { get => _options.Name; set => _options = _options with { Name = value }; }

    /// <inheritdoc cref="DeploymentSpec.NumReplicas"/>
    public int NumReplicas { get => _options.NumReplicas?.Number ?? DeploymentSpec.Default.NumReplicas; set => _options = _options with { NumReplicas = value }; }

    /// <inheritdoc cref="DeploymentSpec.MaxOngoingRequests"/>
    public int MaxOngoingRequests { get => _options.MaxOngoingRequests ?? DeploymentSpec.Default.MaxOngoingRequests; set => _options = _options with { MaxOngoingRequests = value }; }

    /// <inheritdoc cref="DeploymentSpec.MaxQueuedRequests"/>
    public int MaxQueuedRequests { get => _options.MaxQueuedRequests ?? DeploymentSpec.Default.MaxQueuedRequests; set => _options = _options with { MaxQueuedRequests = value }; }

    /// <inheritdoc cref="ReplicaResourceSpec.NumCpus"/>
    public double NumCpus { get => _resources?.NumCpus ?? 0; set => _resources = (_resources ?? new()) with { NumCpus = value }; }

    /// <inheritdoc cref="ReplicaResourceSpec.NumGpus"/>
    public double NumGpus { get => _resources?.NumGpus ?? 0; set => _resources = (_resources ?? new()) with { NumGpus = value }; }

    /// <inheritdoc cref="ReplicaResourceSpec.Memory"/>
    public long Memory { get => _resources?.Memory ?? 0; set => _resources = (_resources ?? new()) with { Memory = value }; }

    /// <inheritdoc cref="DeploymentSpec.HealthCheckPeriodS"/>
    public double HealthCheckPeriodS { get => _options.HealthCheckPeriodS ?? DeploymentSpec.Default.HealthCheckPeriodS; set => _options = _options with { HealthCheckPeriodS = value }; }

    /// <inheritdoc cref="DeploymentSpec.HealthCheckTimeoutS"/>
    public double HealthCheckTimeoutS { get => _options.HealthCheckTimeoutS ?? DeploymentSpec.Default.HealthCheckTimeoutS; set => _options = _options with { HealthCheckTimeoutS = value }; }

    /// <inheritdoc cref="DeploymentSpec.GracefulShutdownWaitLoopS"/>
    public double GracefulShutdownWaitLoopS { get => _options.GracefulShutdownWaitLoopS ?? DeploymentSpec.Default.GracefulShutdownWaitLoopS; set => _options = _options with { GracefulShutdownWaitLoopS = value }; }

    /// <inheritdoc cref="DeploymentSpec.GracefulShutdownTimeoutS"/>
    public double GracefulShutdownTimeoutS { get => _options.GracefulShutdownTimeoutS ?? DeploymentSpec.Default.GracefulShutdownTimeoutS; set => _options = _options with { GracefulShutdownTimeoutS = value }; }

    /// <inheritdoc cref="DeploymentSpec.Concurrency"/>
    public ConcurrencyMode Concurrency { get => _options.Concurrency ?? DeploymentSpec.Default.Concurrency; set => _options = _options with { Concurrency = value }; }

    /// <inheritdoc cref="RequestRouterSpec.Policy"/>
    public RoutingPolicy RoutingPolicy { get => _options.RequestRouterConfig?.Policy ?? default; set => SetRouter(router => router with { Policy = value }); }

    /// <inheritdoc cref="RequestRouterSpec.Key"/>
    public string? RoutingKey { get => _options.RequestRouterConfig?.Key; set => SetRouter(router => router with { Key = value }); }

    /// <inheritdoc cref="GangSchedulingSpec.GangSize"/>
    public int GangSize { get => _options.GangSchedulingConfig?.GangSize ?? 1; set => _options = _options with { GangSchedulingConfig = (_options.GangSchedulingConfig ?? new()) with { GangSize = value } }; }

    /// <summary>Returns the default deployment name of a class: the name in its attribute, or the class's name.</summary>
    /// <param name="type">The class.</param>
    public static string NameOf(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.GetCustomAttribute<DeploymentAttribute>(inherit: false)?.Name ?? type.Name;
    }

    /// <summary>Returns the options that this attribute sets; all others are null.</summary>
    public DeploymentOptions ToOptions() => _options with { ActorOptions = _resources };

    private void SetRouter(Func<RequestRouterOptions, RequestRouterOptions> change) =>
        _options = _options with { RequestRouterConfig = change(_options.RequestRouterConfig ?? new()) };
}
