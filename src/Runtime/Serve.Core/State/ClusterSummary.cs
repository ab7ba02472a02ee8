using System.Collections.Immutable;

namespace Serve;

/// <summary>Summary of a cluster: counts of tasks, actors and objects, and its resources.</summary>
public sealed record ClusterSummary
{
    /// <summary>Task counts by function and phase. Completed tasks are counted while the history keeps them.</summary>
    public required ImmutableSortedDictionary<string, ImmutableSortedDictionary<TaskPhase, long>> Tasks { get; init; }

    /// <summary>Actor counts by class and phase.</summary>
    public required ImmutableSortedDictionary<string, ImmutableSortedDictionary<ActorPhase, long>> Actors { get; init; }

    /// <summary>Object counts by location: memory, shared memory, disk.</summary>
    public required ImmutableSortedDictionary<string, long> Objects { get; init; }

    /// <summary>Bytes of objects by location.</summary>
    public required ImmutableSortedDictionary<string, long> ObjectBytes { get; init; }

    /// <summary>Total and available resources by name.</summary>
    public required ImmutableSortedDictionary<string, ResourceUsage> Resources { get; init; }

    /// <summary>Returns a line for each resource, function, class and object location.</summary>
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
