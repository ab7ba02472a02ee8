using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>Statistics of a model version since it was loaded, as in Triton's statistics extension.</summary>
public sealed record ModelStatistics
{
    /// <summary>Gets the name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the version.</summary>
    public required string Version { get; init; }

    /// <summary>Gets the time of the last request in milliseconds since 1970, UTC; 0 if there was none.</summary>
    public long LastInference { get; init; }

    /// <summary>Gets the number of successful inferences; a request with a batch of 64 counts 64.</summary>
    public long InferenceCount { get; init; }

    /// <summary>Gets the number of successful runs; all requests of a batch count as one.</summary>
    public long ExecutionCount { get; init; }

    /// <summary>Gets the durations of the phases of requests.</summary>
    public InferStatistics InferenceStats { get; init; } = new();

    /// <summary>Gets the statistics of runs by batch size, in ascending order.</summary>
    public ImmutableArray<BatchStatistics> BatchStats { get; init; } = [];

    /// <summary>Adds the statistics of another replica of the same version.</summary>
    /// <param name="other">The other statistics.</param>
    /// <returns>The sum.</returns>
    public ModelStatistics With(ModelStatistics other) => this with
    {
        LastInference = Math.Max(LastInference, other.LastInference),
        InferenceCount = InferenceCount + other.InferenceCount,
        ExecutionCount = ExecutionCount + other.ExecutionCount,
        InferenceStats = InferenceStats.With(other.InferenceStats),
        BatchStats = [.. BatchStats.Concat(other.BatchStats).GroupBy(each => each.BatchSize).OrderBy(group => group.Key)
            .Select(group => group.Aggregate(static (one, next) => one.With(next)))],
    };
}
