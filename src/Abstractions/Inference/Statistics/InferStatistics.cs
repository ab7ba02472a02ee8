namespace Serve.Inference;

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
