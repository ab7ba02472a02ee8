using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>How a model is served, as far as clients ask: those parts of Triton's model configuration that have a meaning here.</summary>
public sealed record ModelConfiguration
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The platform, by the word that model configurations have for <see cref="ModelMetadata.OnnxPlatform"/>.</summary>
    public string Platform { get; init; } = "onnxruntime_onnx";

    /// <summary>What runs it.</summary>
    public string Backend { get; init; } = "onnxruntime";

    /// <summary>How many items a run takes at most, where requests share runs; 0 where they do not. Larger requests are taken too, and run alone.</summary>
    public int MaxBatchSize { get; init; }

    /// <summary>What it takes.</summary>
    public ImmutableArray<TensorConfiguration> Input { get; init; } = [];

    /// <summary>What it gives.</summary>
    public ImmutableArray<TensorConfiguration> Output { get; init; } = [];

    /// <summary>How requests are gathered; null where they do not share runs.</summary>
    public DynamicBatchingConfiguration? DynamicBatching { get; init; }

    /// <summary>The name of the model's file in a version's folder.</summary>
    public string DefaultModelFilename { get; init; } = "model.onnx";
}
