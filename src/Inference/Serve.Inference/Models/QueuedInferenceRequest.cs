using Serve.Inference.Tensors;

namespace Serve.Inference.Models;

/// <summary>A request that has been checked and waits to be run with others.</summary>
/// <param name="Request">The request.</param>
/// <param name="Rows">The first length of each of its inputs.</param>
/// <param name="Arrived">When it came, by the clock's timestamps.</param>
internal readonly record struct QueuedInferenceRequest(InferenceRequest Request, int Rows, long Arrived);
