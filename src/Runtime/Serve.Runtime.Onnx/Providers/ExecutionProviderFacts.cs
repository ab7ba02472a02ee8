using System.Collections.Immutable;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>What this build of ONNX Runtime and this machine have.</summary>
/// <param name="Version">ONNX Runtime's.</param>
/// <param name="Providers">The names of the providers that it was built with.</param>
/// <param name="Libraries">Each native library that CUDA needs, and whether it could be loaded. Empty when nobody asked for a GPU.</param>
/// <param name="DeviceMemory">The memory of each device by its id, in bytes; empty when unknown.</param>
internal sealed record ExecutionProviderFacts(
    string Version, ImmutableArray<string> Providers, ImmutableArray<(string Name, bool IsThere)> Libraries, ImmutableSortedDictionary<int, long> DeviceMemory);
