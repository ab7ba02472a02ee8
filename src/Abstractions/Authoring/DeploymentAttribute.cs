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
    private int? numReplicas;
    private int? maxOngoingRequests;
    private int? maxQueuedRequests;
    private double? numCpus;
    private double? numGpus;
    private long? memory;
    private double? healthCheckPeriodS;
    private double? healthCheckTimeoutS;
    private double? gracefulShutdownWaitLoopS;
    private double? gracefulShutdownTimeoutS;
    private ConcurrencyMode? concurrency;

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
    public int NumReplicas { get => numReplicas ?? DeploymentSpec.Default.NumReplicas; set => numReplicas = value; }

    /// <inheritdoc cref="DeploymentSpec.MaxOngoingRequests"/>
    public int MaxOngoingRequests { get => maxOngoingRequests ?? DeploymentSpec.Default.MaxOngoingRequests; set => maxOngoingRequests = value; }

    /// <inheritdoc cref="DeploymentSpec.MaxQueuedRequests"/>
    public int MaxQueuedRequests { get => maxQueuedRequests ?? DeploymentSpec.Default.MaxQueuedRequests; set => maxQueuedRequests = value; }

    /// <inheritdoc cref="ResourceSpec.NumCpus"/>
    public double NumCpus { get => numCpus ?? 0; set => numCpus = value; }

    /// <inheritdoc cref="ResourceSpec.NumGpus"/>
    public double NumGpus { get => numGpus ?? 0; set => numGpus = value; }

    /// <inheritdoc cref="ResourceSpec.Memory"/>
    public long Memory { get => memory ?? 0; set => memory = value; }

    /// <inheritdoc cref="DeploymentSpec.HealthCheckPeriodS"/>
    public double HealthCheckPeriodS { get => healthCheckPeriodS ?? DeploymentSpec.Default.HealthCheckPeriodS; set => healthCheckPeriodS = value; }

    /// <inheritdoc cref="DeploymentSpec.HealthCheckTimeoutS"/>
    public double HealthCheckTimeoutS { get => healthCheckTimeoutS ?? DeploymentSpec.Default.HealthCheckTimeoutS; set => healthCheckTimeoutS = value; }

    /// <inheritdoc cref="DeploymentSpec.GracefulShutdownWaitLoopS"/>
    public double GracefulShutdownWaitLoopS { get => gracefulShutdownWaitLoopS ?? DeploymentSpec.Default.GracefulShutdownWaitLoopS; set => gracefulShutdownWaitLoopS = value; }

    /// <inheritdoc cref="DeploymentSpec.GracefulShutdownTimeoutS"/>
    public double GracefulShutdownTimeoutS { get => gracefulShutdownTimeoutS ?? DeploymentSpec.Default.GracefulShutdownTimeoutS; set => gracefulShutdownTimeoutS = value; }

    /// <inheritdoc cref="DeploymentSpec.Concurrency"/>
    public ConcurrencyMode Concurrency { get => concurrency ?? ConcurrencyMode.TurnBased; set => concurrency = value; }

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
        NumReplicas = numReplicas,
        MaxOngoingRequests = maxOngoingRequests,
        MaxQueuedRequests = maxQueuedRequests,
        HealthCheckPeriodS = healthCheckPeriodS,
        HealthCheckTimeoutS = healthCheckTimeoutS,
        GracefulShutdownWaitLoopS = gracefulShutdownWaitLoopS,
        GracefulShutdownTimeoutS = gracefulShutdownTimeoutS,
        Concurrency = concurrency,
        ActorOptions = (numCpus, numGpus, memory) is (null, null, null)
            ? null
            : new ResourceOptions { NumCpus = numCpus, NumGpus = numGpus, Memory = memory },
    };
}
