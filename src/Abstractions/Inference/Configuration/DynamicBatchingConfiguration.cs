namespace Serve.Inference;

/// <summary>How requests are gathered into runs, as Triton's model configuration has it.</summary>
/// <param name="MaxQueueDelayMicroseconds">The longest wait of the first request for others.</param>
public sealed record DynamicBatchingConfiguration(long MaxQueueDelayMicroseconds);
