namespace Serve.Inference;

/// <summary>How long runs of one size took, as Triton's statistics extension has it.</summary>
/// <param name="BatchSize">How many inferences one run was.</param>
/// <param name="ComputeInput">Laying the tensors of several requests together.</param>
/// <param name="ComputeInfer">Running the model.</param>
/// <param name="ComputeOutput">Taking results apart again.</param>
public sealed record BatchStatistics(long BatchSize, DurationStatistic ComputeInput, DurationStatistic ComputeInfer, DurationStatistic ComputeOutput)
{
    /// <summary>The same of two replicas.</summary>
    /// <param name="other">The other's, of the same size.</param>
    /// <returns>The sum.</returns>
    public BatchStatistics With(BatchStatistics other) =>
        new(BatchSize, ComputeInput + other.ComputeInput, ComputeInfer + other.ComputeInfer, ComputeOutput + other.ComputeOutput);
}
