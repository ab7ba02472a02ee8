using System.Collections.Immutable;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>Execution providers and devices of this build of ONNX Runtime and this machine.</summary>
/// <param name="Version">Version of ONNX Runtime.</param>
/// <param name="Providers">Names of the providers in the build.</param>
/// <param name="Libraries">Native libraries that CUDA needs, and whether each could be loaded. Empty if no GPU was requested.</param>
/// <param name="DeviceMemory">Memory of each device in bytes, by device id; empty if unknown.</param>
internal sealed record ExecutionProviderFacts(
    string Version, ImmutableArray<string> Providers, ImmutableArray<(string Name, bool IsThere)> Libraries, ImmutableSortedDictionary<int, long> DeviceMemory);
