using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>Description of an input or output in Triton's model configuration.</summary>
/// <param name="Name">Name of the tensor.</param>
/// <param name="DataType">Its datatype, for instance <c>TYPE_FP32</c>.</param>
/// <param name="Dims">Length of each dimension; -1 for an open one. Without the batch dimension if <see cref="ModelConfiguration.MaxBatchSize"/> is not 0.</param>
public sealed record TensorConfiguration(string Name, string DataType, ImmutableArray<long> Dims);
