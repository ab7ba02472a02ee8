using System.Collections.Immutable;

namespace Serve;

/// <summary>Options of one actor. Null properties take the value of <see cref="RemoteAttribute"/>.</summary>
public sealed record ActorOptions
{
    /// <summary>A name by which <see cref="Cluster.GetActor{TActor}(string)"/> finds the actor; unique among live actors. Default: none.</summary>
    public string? Name { get; init; }

    /// <summary>Returns the live actor of the same name, if there is one, instead of failing. Default false.</summary>
    public bool GetIfExists { get; init; }

    /// <summary>Keeps the actor alive until it is killed or the cluster is disposed; other actors terminate when their last handle is collected. Default false.</summary>
    public bool Detached { get; init; }

    /// <inheritdoc cref="RemoteAttribute.NumCpus"/>
    public double? NumCpus { get; init; }

    /// <inheritdoc cref="RemoteAttribute.NumGpus"/>
    public double? NumGpus { get; init; }

    /// <inheritdoc cref="RemoteAttribute.Memory"/>
    public long? Memory { get; init; }

    /// <summary>Custom resources by name. Default: none.</summary>
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

/// <summary>Options of one actor call. Null properties take the actor's own value.</summary>
public sealed record ActorCallOptions
{
    /// <summary>Display name in lists and error messages. Default: the method's name.</summary>
    public string? Name { get; init; }

    /// <summary>Concurrency group of the call. Default: the method's group.</summary>
    public string? ConcurrencyGroup { get; init; }

    /// <inheritdoc cref="RemoteAttribute.MaxTaskRetries"/>
    public int? MaxTaskRetries { get; init; }

    /// <summary>Returns whether to retry an exception of the method itself, within <see cref="MaxTaskRetries"/>. Default: never.</summary>
    public Func<Exception, bool>? RetryOn { get; init; }

    /// <summary>Maximum duration of the call, after which it is canceled and fails with <see cref="RequestTimeoutException"/>. Default: no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <inheritdoc cref="TaskOptions.MaxBufferedItems"/>
    public int? MaxBufferedItems { get; init; }
}
