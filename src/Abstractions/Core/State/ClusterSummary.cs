using System.Collections.Immutable;

namespace Serve;

/// <summary>A cluster at a glance.</summary>
public sealed record ClusterSummary
{
    /// <summary>Counts by function, then by state. Ended tasks are counted as far as they are remembered.</summary>
    public required ImmutableSortedDictionary<string, ImmutableSortedDictionary<TaskPhase, long>> Tasks { get; init; }

    /// <summary>Counts by class, then by state.</summary>
    public required ImmutableSortedDictionary<string, ImmutableSortedDictionary<ActorPhase, long>> Actors { get; init; }

    /// <summary>How many objects are in memory, in shared memory, on disk.</summary>
    public required ImmutableSortedDictionary<string, long> Objects { get; init; }

    /// <summary>The bytes of the same.</summary>
    public required ImmutableSortedDictionary<string, long> ObjectBytes { get; init; }

    /// <summary>Resources: what there is and what of it is free.</summary>
    public required ImmutableSortedDictionary<string, ResourceUse> Resources { get; init; }
}
