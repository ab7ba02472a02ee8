using System.Collections.Immutable;

namespace Serve.Routes;

/// <summary>Metrics that replicas' <c>ReportAutoscalingStats</c> have returned: a JSON object by <see cref="Serve.ReplicaId"/> of values by name, published per node.</summary>
public static class AutoscalingStatsReports
{
    /// <summary>The topic under which they are published.</summary>
    public const string Topic = "autoscaling-stats";
}

/// <summary>
/// Load of a deployment in the router of one process. A process reports its loads as a JSON object by <c>app/deployment</c>, when they change; the reports of all processes
/// of a node are published together.
/// </summary>
public sealed record DeploymentLoadReport
{
    /// <summary>The topic under which reports are published.</summary>
    public const string Topic = "loads";

    /// <summary>Requests that wait for a replica.</summary>
    public int Queued { get; init; }

    /// <summary>Requests that are being processed, by replica; those without are omitted.</summary>
    public ImmutableSortedDictionary<string, int> Ongoing { get; init; } = ImmutableSortedDictionary.Create<string, int>(StringComparer.Ordinal);

    /// <summary>Whether requests have arrived since the last sample, however short they were.</summary>
    public bool IsActive { get; init; }
}
