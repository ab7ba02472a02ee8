using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>An input or output as the Open Inference Protocol describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Datatype">Its type's name, for instance <c>FP32</c>.</param>
/// <param name="Shape">The length of each dimension, -1 where any is taken.</param>
public sealed record TensorMetadata(string Name, string Datatype, ImmutableArray<long> Shape);
