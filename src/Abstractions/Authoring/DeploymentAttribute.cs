using System.Reflection;
using Serve.Specs;

namespace Serve;

/// <summary>
/// Marks a class as a deployment. Settings that are not set have the defaults of <see cref="DeploymentSpec"/>. A configuration file,
/// the CLI and the REST API can override each setting.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class DeploymentAttribute : Attribute
{
    private int? _numReplicas;
    private int? _maxOngoingRequests;
    private int? _maxQueuedRequests;
    private double? _numCpus;
    private double? _numGpus;
    private long? _memory;
    private double? _healthCheckPeriodS;
    private double? _healthCheckTimeoutS;
    private double? _gracefulShutdownWaitLoopS;
    private double? _gracefulShutdownTimeoutS;
    private ConcurrencyMode? _concurrency;

    /// <summary>Declares a deployment with the name of its class.</summary>
    public DeploymentAttribute()
    {
    }

    /// <summary>Declares a deployment with a name.</summary>
    /// <param name="name">The name, unique within the application.</param>
    public DeploymentAttribute(string name) => Name = name;

    /// <summary>The deployment's name. Default: the class's name.</summary>
    public string? Name { get; set; }

    /// <inheritdoc cref="DeploymentSpec.NumReplicas"/>
    public int NumReplicas { get => _numReplicas ?? DeploymentSpec.Default.NumReplicas; set => _numReplicas = value; }

    /// <inheritdoc cref="DeploymentSpec.MaxOngoingRequests"/>
    public int MaxOngoingRequests { get => _maxOngoingRequests ?? DeploymentSpec.Default.MaxOngoingRequests; set => _maxOngoingRequests = value; }

    /// <inheritdoc cref="DeploymentSpec.MaxQueuedRequests"/>
    public int MaxQueuedRequests { get => _maxQueuedRequests ?? DeploymentSpec.Default.MaxQueuedRequests; set => _maxQueuedRequests = value; }

    /// <inheritdoc cref="ReplicaResourceSpec.NumCpus"/>
    public double NumCpus { get => _numCpus ?? 0; set => _numCpus = value; }

    /// <inheritdoc cref="ReplicaResourceSpec.NumGpus"/>
    public double NumGpus { get => _numGpus ?? 0; set => _numGpus = value; }

    /// <inheritdoc cref="ReplicaResourceSpec.Memory"/>
    public long Memory { get => _memory ?? 0; set => _memory = value; }

    /// <inheritdoc cref="DeploymentSpec.HealthCheckPeriodS"/>
    public double HealthCheckPeriodS { get => _healthCheckPeriodS ?? DeploymentSpec.Default.HealthCheckPeriodS; set => _healthCheckPeriodS = value; }

    /// <inheritdoc cref="DeploymentSpec.HealthCheckTimeoutS"/>
    public double HealthCheckTimeoutS { get => _healthCheckTimeoutS ?? DeploymentSpec.Default.HealthCheckTimeoutS; set => _healthCheckTimeoutS = value; }

    /// <inheritdoc cref="DeploymentSpec.GracefulShutdownWaitLoopS"/>
    public double GracefulShutdownWaitLoopS { get => _gracefulShutdownWaitLoopS ?? DeploymentSpec.Default.GracefulShutdownWaitLoopS; set => _gracefulShutdownWaitLoopS = value; }

    /// <inheritdoc cref="DeploymentSpec.GracefulShutdownTimeoutS"/>
    public double GracefulShutdownTimeoutS { get => _gracefulShutdownTimeoutS ?? DeploymentSpec.Default.GracefulShutdownTimeoutS; set => _gracefulShutdownTimeoutS = value; }

    /// <inheritdoc cref="DeploymentSpec.Concurrency"/>
    public ConcurrencyMode Concurrency { get => _concurrency ?? ConcurrencyMode.TurnBased; set => _concurrency = value; }

    /// <summary>Returns the default deployment name of a class.</summary>
    /// <param name="type">The class.</param>
    /// <returns>The name in its attribute, or the class name.</returns>
    public static string NameOf(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.GetCustomAttribute<DeploymentAttribute>(inherit: false)?.Name ?? type.Name;
    }

    /// <summary>Returns the settings of this attribute, which a configuration file is merged over.</summary>
    /// <returns>Options with null for settings that are not set.</returns>
    public DeploymentOptions ToOptions() => new()
    {
        Name = Name,
        NumReplicas = _numReplicas,
        MaxOngoingRequests = _maxOngoingRequests,
        MaxQueuedRequests = _maxQueuedRequests,
        HealthCheckPeriodS = _healthCheckPeriodS,
        HealthCheckTimeoutS = _healthCheckTimeoutS,
        GracefulShutdownWaitLoopS = _gracefulShutdownWaitLoopS,
        GracefulShutdownTimeoutS = _gracefulShutdownTimeoutS,
        Concurrency = _concurrency,
        ActorOptions = (_numCpus, _numGpus, _memory) is (null, null, null)
            ? null
            : new ReplicaResourceOptions { NumCpus = _numCpus, NumGpus = _numGpus, Memory = _memory },
    };
}
