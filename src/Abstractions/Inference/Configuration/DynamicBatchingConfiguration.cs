namespace Serve.Inference;

/// <summary>Dynamic batching of a model, as in Triton's model configuration.</summary>
/// <param name="MaxQueueDelayMicroseconds">Maximum wait of the first request for others.</param>
public sealed record DynamicBatchingConfiguration(long MaxQueueDelayMicroseconds);
