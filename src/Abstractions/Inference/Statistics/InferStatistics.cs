namespace Serve.Inference;

/// <summary>Where a model's requests spent their time, as Triton's statistics extension has it. Each member counts requests.</summary>
public sealed record InferStatistics
{
    /// <summary>Requests that were answered, from their last byte read to their answer written.</summary>
    public DurationStatistic Success { get; init; }

    /// <summary>Requests that were answered with an error.</summary>
    public DurationStatistic Fail { get; init; }

    /// <summary>Waiting to be part of a batch; 0 where requests are not batched.</summary>
    public DurationStatistic Queue { get; init; }

    /// <summary>Reading the tensors out of the request.</summary>
    public DurationStatistic ComputeInput { get; init; }

    /// <summary>Running the model. All requests of a batch have the batch's time.</summary>
    public DurationStatistic ComputeInfer { get; init; }

    /// <summary>Writing the tensors into the answer.</summary>
    public DurationStatistic ComputeOutput { get; init; }

    /// <summary>Answers out of a cache. Nothing is cached, so it is 0; the extension wants it.</summary>
    public DurationStatistic CacheHit { get; init; }

    /// <inheritdoc cref="CacheHit"/>
    public DurationStatistic CacheMiss { get; init; }

    /// <summary>The same of two replicas.</summary>
    /// <param name="other">The other's.</param>
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
