using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Devices;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>Detects the execution providers and devices of this build and machine. Probes for CUDA only if a GPU is requested.</summary>
internal static class ExecutionProviderProbe
{
    // The libraries of CUDA 13 and cuDNN 9 that ONNX Runtime's CUDA provider needs.
    private static readonly string[] CudaLibraries = OperatingSystem.IsWindows()
        ? ["nvcuda.dll", "cudart64_13.dll", "cublas64_13.dll", "cublasLt64_13.dll", "curand64_10.dll", "cudnn64_9.dll"]
        : ["libcuda.so.1", "libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13", "libcurand.so.10", "libcudnn.so.9"];

    public static ExecutionProviderFacts Look(OrtEnv environment, bool forGpu) => new(
        environment.GetVersionString(),
        [.. environment.GetAvailableProviders()],
        forGpu ? [.. CudaLibraries.Select(name => (name, IsThere(name)))] : [],
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
