using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>Description of an input or output in the Open Inference Protocol.</summary>
/// <param name="Name">Name of the tensor.</param>
/// <param name="Datatype">Name of its datatype, for instance <c>FP32</c>.</param>
/// <param name="Shape">Length of each dimension; -1 for an open one.</param>
public sealed record TensorMetadata(string Name, string Datatype, ImmutableArray<long> Shape);
