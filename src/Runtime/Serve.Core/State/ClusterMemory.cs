using System.Collections.Immutable;

namespace Serve;

/// <summary>What takes memory in a cluster.</summary>
public sealed record ClusterMemory
{
    /// <summary>The objects' bytes by where they are.</summary>
    public required ImmutableSortedDictionary<string, long> ObjectBytes { get; init; }

    /// <summary>The objects, largest first.</summary>
    public required ImmutableArray<ObjectState> Objects { get; init; }

    /// <summary>The process that the cluster is in.</summary>
    public required int Pid { get; init; }

    /// <summary>Its resident memory in bytes.</summary>
    public required long ProcessBytes { get; init; }

    /// <summary>The worker processes.</summary>
    public required ImmutableArray<WorkerState> Workers { get; init; }
}
