using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>Model metadata of the Open Inference Protocol.</summary>
public sealed record ModelMetadata
{
    /// <summary>Platform of models without user code.</summary>
    public const string OnnxPlatform = "onnx_onnxv1";

    /// <summary>Gets the name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the available versions, in ascending order.</summary>
    public ImmutableArray<string> Versions { get; init; } = [];

    /// <summary>Gets the platform, <see cref="OnnxPlatform"/>.</summary>
    public string Platform { get; init; } = OnnxPlatform;

    /// <summary>Gets the inputs.</summary>
    public ImmutableArray<TensorMetadata> Inputs { get; init; } = [];

    /// <summary>Gets the outputs.</summary>
    public ImmutableArray<TensorMetadata> Outputs { get; init; } = [];

    /// <summary>Gets additional properties: the execution provider and the metadata in the file.</summary>
    public ImmutableSortedDictionary<string, string> Properties { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>Description of an input or output in the Open Inference Protocol.</summary>
/// <param name="Name">Name of the tensor.</param>
/// <param name="Datatype">Name of its datatype, for instance <c>FP32</c>.</param>
/// <param name="Shape">Length of each dimension; -1 for an open one.</param>
public sealed record TensorMetadata(string Name, string Datatype, ImmutableArray<long> Shape);
