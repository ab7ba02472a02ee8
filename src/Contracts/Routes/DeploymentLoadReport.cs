using System.Collections.Immutable;

namespace Serve.Routes;

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
