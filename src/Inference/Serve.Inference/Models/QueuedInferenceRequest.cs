using Serve.Inference.Tensors;

namespace Serve.Inference.Models;

/// <summary>A validated request that waits for a batch.</summary>
/// <param name="Request">The request.</param>
/// <param name="Rows">The first length of its inputs.</param>
/// <param name="Arrived">Timestamp of its arrival.</param>
internal readonly record struct QueuedInferenceRequest(InferenceRequest Request, int Rows, long Arrived);
