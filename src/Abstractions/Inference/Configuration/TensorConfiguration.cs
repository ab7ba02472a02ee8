using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>An input or output as Triton's model configuration describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="DataType">Its type, for instance <c>TYPE_FP32</c>.</param>
/// <param name="Dims">The length of each dimension, -1 where any is taken; without the first where <see cref="ModelConfiguration.MaxBatchSize"/> is not 0, since that counts the items.</param>
public sealed record TensorConfiguration(string Name, string DataType, ImmutableArray<long> Dims);
