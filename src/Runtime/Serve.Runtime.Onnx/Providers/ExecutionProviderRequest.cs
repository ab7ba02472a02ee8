using System.Collections.Immutable;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>Execution provider and resources that a deployment and a model's options request.</summary>
/// <param name="Asked">The option <c>execution_provider</c>.</param>
/// <param name="GpuIds">GPUs that the scheduler assigned; empty without <c>num_gpus</c>.</param>
/// <param name="NumGpus">Number of reserved GPUs; a fraction shares one.</param>
/// <param name="MemoryLimit">The option <c>memory_limit</c>.</param>
internal sealed record ExecutionProviderRequest(string Asked, ImmutableArray<int> GpuIds, double NumGpus, long? MemoryLimit);
