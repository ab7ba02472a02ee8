using System.Collections.Immutable;

namespace Serve;

/// <summary>Options of one task. Null properties take the value of <see cref="RemoteAttribute"/>.</summary>
public sealed record TaskOptions
{
    /// <summary>Display name in lists and error messages. Default: the method's name.</summary>
    public string? Name { get; init; }

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

    /// <inheritdoc cref="RemoteAttribute.MaxRetries"/>
    public int? MaxRetries { get; init; }

    /// <summary>Returns whether to retry an exception of the task itself, within <see cref="MaxRetries"/>. Default: <see cref="RemoteAttribute.RetryOn"/>.</summary>
    public Func<Exception, bool>? RetryOn { get; init; }

    /// <summary>Maximum run time, after which the task is canceled and fails with <see cref="RequestTimeoutException"/>. Default: no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Priority among runnable tasks: higher values start first, equal ones in the order in which they became runnable. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>Streaming tasks: maximum number of unread items before the task waits. Default 16.</summary>
    public int? MaxBufferedItems { get; init; }

    /// <summary>Placement: a node, or a bundle of a placement group. Default: any node with enough resources.</summary>
    public SchedulingStrategy? Scheduling { get; init; }
}

/// <summary>Options of a map over many items. The defaults suit most maps.</summary>
public sealed record MapOptions
{
    /// <summary>Number of items sent to a thread or worker at a time. Default: chosen from the measured duration, so that a chunk takes a few milliseconds.</summary>
    public int? ChunkSize { get; init; }

    /// <summary>Maximum number of items processed concurrently. Default: the cluster's CPUs; 64 for functions that return a task, which wait rather than compute.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>Shows a progress bar if standard error is a terminal. Default false.</summary>
    public bool Progress { get; init; }

    /// <summary>Display name in the progress bar and in task lists. Default <c>Map</c>.</summary>
    public string Name { get; init; } = "Map";
}
