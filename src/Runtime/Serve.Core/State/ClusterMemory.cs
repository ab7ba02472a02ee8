using System.Collections.Immutable;

namespace Serve;

/// <summary>Memory usage of a cluster.</summary>
public sealed record ClusterMemory
{
    /// <summary>Bytes of objects by location.</summary>
    public required ImmutableSortedDictionary<string, long> ObjectBytes { get; init; }

    /// <summary>The objects, largest first.</summary>
    public required ImmutableArray<ObjectState> Objects { get; init; }

    /// <summary>The id of the driver process.</summary>
    public required int Pid { get; init; }

    /// <summary>The driver's resident memory in bytes.</summary>
    public required long ProcessBytes { get; init; }

    /// <summary>The worker processes.</summary>
    public required ImmutableArray<WorkerState> Workers { get; init; }
}
