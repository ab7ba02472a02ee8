namespace Serve.Inference;

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
