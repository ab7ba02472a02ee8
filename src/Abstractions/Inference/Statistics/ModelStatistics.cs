using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>What one version of a model has done since it was loaded, as Triton's statistics extension has it.</summary>
public sealed record ModelStatistics
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>The version.</summary>
    public required string Version { get; init; }

    /// <summary>When it was last asked: milliseconds since 1970, UTC; 0 when it never was.</summary>
    public long LastInference { get; init; }

    /// <summary>Successful inferences: a request with a batch of 64 is 64 of them.</summary>
    public long InferenceCount { get; init; }

    /// <summary>Successful runs of the model: one for all requests of a batch.</summary>
    public long ExecutionCount { get; init; }

    /// <summary>Where requests spent their time.</summary>
    public InferStatistics InferenceStats { get; init; } = new();

    /// <summary>How long runs took, by size, the smallest first.</summary>
    public ImmutableArray<BatchStatistics> BatchStats { get; init; } = [];

    /// <summary>The same of two replicas of one model and version.</summary>
    /// <param name="other">The other's.</param>
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
