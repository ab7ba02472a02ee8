using System.Reflection;
using Serve.Specs;

namespace Serve;

/// <summary>
/// Makes a class a deployment. What is not set here takes the default named in <see cref="DeploymentSpec"/>; a config file,
/// the CLI and the REST API can override every setting, key by key.
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

    /// <summary>A deployment named after its class.</summary>
    public DeploymentAttribute()
    {
    }

    /// <summary>A deployment with a name of its own.</summary>
    /// <param name="name">Unique within its application.</param>
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

    /// <summary>The name a class is deployed under when nothing else is said.</summary>
    /// <param name="type">The class.</param>
    /// <returns>The name its attribute states, or the class's own.</returns>
    public static string NameOf(Type type)
    {
        ArgumentNullException.ThrowIfNull(type);
        return type.GetCustomAttribute<DeploymentAttribute>(inherit: false)?.Name ?? type.Name;
    }

    /// <summary>What this attribute sets, and only that: the layer that a config file is merged over.</summary>
    /// <returns>Options whose unset keys are null.</returns>
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
