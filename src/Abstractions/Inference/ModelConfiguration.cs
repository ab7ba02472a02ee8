using System.Collections.Immutable;

namespace Serve.Inference;

/// <summary>Configuration of a served model: the supported part of Triton's model configuration.</summary>
public sealed record ModelConfiguration
{
    /// <summary>Gets the name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>Gets the platform; model configurations have another name for <see cref="ModelMetadata.OnnxPlatform"/>.</summary>
    public string Platform { get; init; } = "onnxruntime_onnx";

    /// <summary>Gets the backend.</summary>
    public string Backend { get; init; } = "onnxruntime";

    /// <summary>Gets the maximum number of items in a batch; 0 if requests are not batched. Larger requests are accepted and run alone.</summary>
    public int MaxBatchSize { get; init; }

    /// <summary>Gets the inputs.</summary>
    public ImmutableArray<TensorConfiguration> Input { get; init; } = [];

    /// <summary>Gets the outputs.</summary>
    public ImmutableArray<TensorConfiguration> Output { get; init; } = [];

    /// <summary>Gets the dynamic batching; null if requests are not batched.</summary>
    public DynamicBatchingConfiguration? DynamicBatching { get; init; }

    /// <summary>Gets the name of the model file in the folder of a version.</summary>
    public string DefaultModelFilename { get; init; } = "model.onnx";
}

/// <summary>Description of an input or output in Triton's model configuration.</summary>
/// <param name="Name">Name of the tensor.</param>
/// <param name="DataType">Its datatype, for instance <c>TYPE_FP32</c>.</param>
/// <param name="Dims">Length of each dimension; -1 for an open one. Without the batch dimension if <see cref="ModelConfiguration.MaxBatchSize"/> is not 0.</param>
public sealed record TensorConfiguration(string Name, string DataType, ImmutableArray<long> Dims);

/// <summary>Dynamic batching of a model, as in Triton's model configuration.</summary>
/// <param name="MaxQueueDelayMicroseconds">Maximum wait of the first request for others.</param>
public sealed record DynamicBatchingConfiguration(long MaxQueueDelayMicroseconds);
