using System.Collections.Immutable;

namespace Serve;

/// <summary>How one task is to run. What is null stays as <see cref="RemoteAttribute"/> says.</summary>
public sealed record TaskOptions
{
    /// <summary>Shown in lists and error messages. Default: the method's name.</summary>
    public string? Name { get; init; }

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

    /// <inheritdoc cref="RemoteAttribute.MaxRetries"/>
    public int? MaxRetries { get; init; }

    /// <summary>Says for an exception of the task's own whether it is to be retried within <see cref="MaxRetries"/>. Default: <see cref="RemoteAttribute.RetryOn"/>.</summary>
    public Func<Exception, bool>? RetryOn { get; init; }

    /// <summary>How long the task may run, from its start, before it is cancelled and fails with <see cref="RequestTimeoutException"/>. Default no limit.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Of tasks that are ready, higher ones start first; equal ones in the order in which they became ready. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>Streaming tasks: how many items may lie unread before the task waits. Default 16.</summary>
    public int? MaxBufferedItems { get; init; }

    /// <summary>Where among the nodes, or in which bundle of a placement group. Default: where it fits.</summary>
    public SchedulingStrategy? Scheduling { get; init; }
}
