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
    public required ImmutableSortedDictionary<string, ResourceUsage> Resources { get; init; }

    /// <summary>A line for each resource, function, class and place of objects.</summary>
    /// <returns>For instance <c>task Demo.Square: 4 Finished</c>.</returns>
    public override string ToString() => string.Join(
        Environment.NewLine,
        Resources.Select(resource => FormattableString.Invariant($"{resource.Key}: {resource.Value.Available} of {resource.Value.Total} free"))
            .Concat(Tasks.Select(task => $"task {task.Key}: {Counts(task.Value)}"))
            .Concat(Actors.Select(actor => $"actor {actor.Key}: {Counts(actor.Value)}"))
            .Concat(Objects.Select(place => FormattableString.Invariant($"objects in {place.Key}: {place.Value}, {ObjectBytes.GetValueOrDefault(place.Key)} bytes"))));

    private static string Counts<TPhase>(ImmutableSortedDictionary<TPhase, long> counts)
        where TPhase : struct, Enum =>
        string.Join(", ", counts.Select(state => FormattableString.Invariant($"{state.Value} {state.Key}")));
}
