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

/// <summary>Durations of the phases of a model's requests, as in Triton's statistics extension. Each member counts requests.</summary>
public sealed record InferStatistics
{
    /// <summary>Gets successful requests, from the last byte read to the response written.</summary>
    public DurationStatistic Success { get; init; }

    /// <summary>Gets failed requests.</summary>
    public DurationStatistic Fail { get; init; }

    /// <summary>Gets the wait for a batch; 0 if requests are not batched.</summary>
    public DurationStatistic Queue { get; init; }

    /// <summary>Gets the parsing of requests.</summary>
    public DurationStatistic ComputeInput { get; init; }

    /// <summary>Gets the execution of the model; each request of a batch counts the duration of the batch.</summary>
    public DurationStatistic ComputeInfer { get; init; }

    /// <summary>Gets the writing of responses.</summary>
    public DurationStatistic ComputeOutput { get; init; }

    /// <summary>Gets responses from a cache. Always 0: responses are not cached.</summary>
    public DurationStatistic CacheHit { get; init; }

    /// <inheritdoc cref="CacheHit"/>
    public DurationStatistic CacheMiss { get; init; }

    /// <summary>Adds the statistics of another replica.</summary>
    /// <param name="other">The other statistics.</param>
    /// <returns>The sum.</returns>
    public InferStatistics With(InferStatistics other) => new()
    {
        Success = Success + other.Success,
        Fail = Fail + other.Fail,
        Queue = Queue + other.Queue,
        ComputeInput = ComputeInput + other.ComputeInput,
        ComputeInfer = ComputeInfer + other.ComputeInfer,
        ComputeOutput = ComputeOutput + other.ComputeOutput,
    };
}

/// <summary>Statistics of runs with one batch size, as in Triton's statistics extension.</summary>
/// <param name="BatchSize">Number of inferences in a run.</param>
/// <param name="ComputeInput">Concatenation of the inputs.</param>
/// <param name="ComputeInfer">Execution of the model.</param>
/// <param name="ComputeOutput">Splitting of the outputs.</param>
public sealed record BatchStatistics(long BatchSize, DurationStatistic ComputeInput, DurationStatistic ComputeInfer, DurationStatistic ComputeOutput)
{
    /// <summary>The same of two replicas.</summary>
    /// <param name="other">The other's, of the same size.</param>
    /// <returns>The sum.</returns>
    public BatchStatistics With(BatchStatistics other) =>
        new(BatchSize, ComputeInput + other.ComputeInput, ComputeInfer + other.ComputeInfer, ComputeOutput + other.ComputeOutput);
}

/// <summary>A count and the time it stands for, as Triton's statistics extension has it.</summary>
/// <param name="Count">How often it happened.</param>
/// <param name="Ns">How long it took in all, in nanoseconds.</param>
public readonly record struct DurationStatistic(long Count, long Ns)
{
    /// <summary>Both together.</summary>
    /// <param name="one">One.</param>
    /// <param name="other">The other.</param>
    /// <returns>Their sum.</returns>
    public static DurationStatistic operator +(DurationStatistic one, DurationStatistic other) => new(one.Count + other.Count, one.Ns + other.Ns);

    /// <inheritdoc cref="op_Addition"/>
    public static DurationStatistic Add(DurationStatistic left, DurationStatistic right) => left + right;
}
