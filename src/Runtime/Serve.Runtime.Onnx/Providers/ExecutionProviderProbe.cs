using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Devices;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>Detects the execution providers and devices of this build and machine. Probes for CUDA only if a GPU is requested.</summary>
internal static class ExecutionProviderProbe
{
    // The libraries that ONNX Runtime's CUDA provider is linked against, in the supported major versions.
    private static readonly string[][] CudaLibraries = OperatingSystem.IsWindows()
        ? [["nvcuda.dll"], ["cudart64_12.dll", "cudart64_13.dll"], ["cublasLt64_12.dll", "cublasLt64_13.dll"], ["cudnn64_9.dll"]]
        : [["libcuda.so.1"], ["libcudart.so.12", "libcudart.so.13"], ["libcublasLt.so.12", "libcublasLt.so.13"], ["libcudnn.so.9"]];

    public static ExecutionProviderFacts Look(OrtEnv environment, bool forGpu) => new(
        environment.GetVersionString(),
        [.. environment.GetAvailableProviders()],
        forGpu ? [.. CudaLibraries.Select(names => (string.Join(" or ", names), names.Any(IsThere)))] : [],
        forGpu ? DeviceMemory() : ImmutableSortedDictionary<int, long>.Empty);

    private static bool IsThere(string name)
    {
        if (!NativeLibrary.TryLoad(name, out var library))
            return false;
        NativeLibrary.Free(library);
        return true;
    }

    private static ImmutableSortedDictionary<int, long> DeviceMemory() =>
        GpuDevices.Shared.Read().ToImmutableSortedDictionary(device => device.Id, device => device.TotalMemory);
}
