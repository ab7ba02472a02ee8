using System.Collections.Immutable;

namespace Serve;

/// <summary>How one actor is to live. What is null stays as <see cref="RemoteAttribute"/> says.</summary>
public sealed record ActorOptions
{
    /// <summary>A name by which <see cref="Cluster.GetActor{TActor}(string)"/> finds it; unique among the living. Default none.</summary>
    public string? Name { get; init; }

    /// <summary>With a name: returns the actor of that name where there is one, instead of failing. Default false.</summary>
    public bool GetIfExists { get; init; }

    /// <summary>Lives until it is killed or the cluster ends; others end when their last handle is collected. Default false.</summary>
    public bool Detached { get; init; }

    /// <inheritdoc cref="RemoteAttribute.NumCpus"/>
    public double? NumCpus { get; init; }

    /// <inheritdoc cref="RemoteAttribute.NumGpus"/>
    public double? NumGpus { get; init; }

    /// <inheritdoc cref="RemoteAttribute.Memory"/>
    public long? Memory { get; init; }

    /// <summary>Custom resources by name. Default none.</summary>
    public ImmutableDictionary<string, double>? Resources { get; init; }

    /// <inheritdoc cref="RemoteAttribute.Isolation"/>
    public Isolation Isolation { get; init; }

    /// <inheritdoc cref="RemoteAttribute.MaxRestarts"/>
    public int? MaxRestarts { get; init; }

    /// <inheritdoc cref="RemoteAttribute.MaxTaskRetries"/>
    public int? MaxTaskRetries { get; init; }

    /// <inheritdoc cref="RemoteAttribute.MaxPendingCalls"/>
    public int? MaxPendingCalls { get; init; }

    /// <inheritdoc cref="RemoteAttribute.MaxConcurrency"/>
    public int? MaxConcurrency { get; init; }

    /// <inheritdoc cref="RemoteAttribute.Concurrency"/>
    public ConcurrencyMode? Concurrency { get; init; }

    /// <summary>Limits of concurrency groups by name. Default: <see cref="RemoteAttribute.ConcurrencyGroups"/>.</summary>
    public ImmutableDictionary<string, int>? ConcurrencyGroups { get; init; }

    /// <inheritdoc cref="TaskOptions.Scheduling"/>
    public SchedulingStrategy? Scheduling { get; init; }
}
