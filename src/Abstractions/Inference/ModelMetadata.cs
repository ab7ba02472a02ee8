using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>What a served model says of itself: the Open Inference Protocol's model metadata.</summary>
public sealed record ModelMetadata
{
    /// <summary>The platform of every model that is served without code.</summary>
    public const string OnnxPlatform = "onnx_onnxv1";

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The versions that can be asked for, the lowest first.</summary>
    public ImmutableArray<string> Versions { get; init; } = [];

    /// <summary>What kind of model it is: <see cref="OnnxPlatform"/>.</summary>
    public string Platform { get; init; } = OnnxPlatform;

    /// <summary>What it takes.</summary>
    public ImmutableArray<TensorMetadata> Inputs { get; init; } = [];

    /// <summary>What it gives.</summary>
    public ImmutableArray<TensorMetadata> Outputs { get; init; } = [];

    /// <summary>Further facts: where it runs, and what the file says of itself.</summary>
    public ImmutableSortedDictionary<string, string> Properties { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
