using System.Collections.Immutable;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>What a deployment and a model's options say about where the model is to run.</summary>
/// <param name="Asked">The option <c>execution_provider</c>.</param>
/// <param name="GpuIds">The devices that the scheduler has given; empty without <c>num_gpus</c>.</param>
/// <param name="NumGpus">How much of a device; a fraction shares it.</param>
/// <param name="MemoryLimit">The option <c>memory_limit</c>.</param>
internal sealed record ExecutionProviderRequest(string Asked, ImmutableArray<int> GpuIds, double NumGpus, long? MemoryLimit);
