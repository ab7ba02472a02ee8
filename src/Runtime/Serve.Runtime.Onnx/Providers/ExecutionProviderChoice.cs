using System.Collections.Immutable;
using System.Globalization;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>Selects the execution providers for a model. Pure.</summary>
/// <param name="Candidates">Providers to try, best first; empty if there is an error.</param>
/// <param name="Note">Additional warning for the replica's log; null for none.</param>
/// <param name="Error">Why no provider can be used; null if there is one.</param>
internal sealed record ExecutionProviderChoice(ImmutableArray<ExecutionProviderSelection> Candidates, string? Note, string? Error)
{
    private const string CudaProvider = "CUDAExecutionProvider";
    private const string TensorRtProvider = "TensorrtExecutionProvider";
    private static readonly string[] Known = ["auto", ExecutionProviderSelection.Cpu, ExecutionProviderSelection.Cuda, ExecutionProviderSelection.TensorRt];

    /// <summary>Selects the providers.</summary>
    /// <param name="request">The requested provider and resources.</param>
    /// <param name="facts">Providers and devices of this build and machine.</param>
    public static ExecutionProviderChoice Decide(ExecutionProviderRequest request, ExecutionProviderFacts facts) => request.Asked switch
    {
        "auto" => Best(request, facts),
        ExecutionProviderSelection.Cpu => Only(new ExecutionProviderSelection(ExecutionProviderSelection.Cpu), request.GpuIds.IsEmpty ? null : "num_gpus is set, but execution_provider is cpu: the GPU is not used."),
        ExecutionProviderSelection.Cuda => Gpu(request, facts, ExecutionProviderSelection.Cuda, CudaProvider),
        ExecutionProviderSelection.TensorRt => Gpu(request, facts, ExecutionProviderSelection.TensorRt, TensorRtProvider),
        _ when IsPath(request.Asked) => Only(
            new ExecutionProviderSelection(Path.GetFileNameWithoutExtension(request.Asked), DeviceOf(request), LimitOf(request, facts), request.Asked), null),
        _ => Wrong("execution_provider must be auto, cpu, cuda, tensorrt, or the path of a plug-in provider library, "
            + $"but was '{request.Asked}'.{(NearestNameFinder.Find(request.Asked, Known) is { } near ? $" Did you mean '{near}'?" : "")}"),
    };

    /// <summary>Describes the providers, libraries and devices that were found, for a message.</summary>
    public static string LookedFor(ExecutionProviderFacts facts)
    {
        var missing = facts.Libraries.Where(library => !library.IsThere).Select(library => library.Name).ToList();
        return $"This build of ONNX Runtime {facts.Version} has {string.Join(", ", facts.Providers)}. "
            + (facts.Libraries.IsEmpty ? "" : missing.Count == 0
                ? $"All required native libraries were found: {string.Join(", ", facts.Libraries.Select(library => library.Name))}. "
                : $"Native libraries of CUDA 13 and cuDNN 9 that could not be loaded: {string.Join(", ", missing)}. ")
            + (facts.DeviceMemory.IsEmpty ? "The NVIDIA driver reports no device." : $"The NVIDIA driver reports {facts.DeviceMemory.Count} device{(facts.DeviceMemory.Count == 1 ? "" : "s")}.");
    }

    /// <summary>Describes why a model runs on the CPU although a GPU is assigned to its replica; null if it does not.</summary>
    public static string? CpuNotice(string file, ExecutionProviderRequest request, ExecutionProviderSelection used, ExecutionProviderChoice choice, ExecutionProviderFacts facts) =>
        request.GpuIds.IsEmpty || !used.IsCpu
            ? null
            : $"{file} runs on the CPU, although num_gpus is {request.NumGpus.ToString(CultureInfo.InvariantCulture)}: {choice.Note ?? $"{choice.Candidates[0].Name} could not be used. {LookedFor(facts)}"}";

    private static ExecutionProviderChoice Best(ExecutionProviderRequest request, ExecutionProviderFacts facts)
    {
        var cpu = new ExecutionProviderSelection(ExecutionProviderSelection.Cpu);
        if (request.GpuIds.IsEmpty)
            return Only(cpu, null);
        return facts.Providers.Contains(CudaProvider)
            ? new([Use(request, facts, ExecutionProviderSelection.Cuda), cpu], null, null)
            : Only(cpu, $"num_gpus is {request.NumGpus.ToString(CultureInfo.InvariantCulture)}, but no GPU is available. {LookedFor(facts)}{HowToBuild(facts, CudaProvider)}");
    }

    private static ExecutionProviderChoice Gpu(ExecutionProviderRequest request, ExecutionProviderFacts facts, string name, string provider)
    {
        if (!facts.Providers.Contains(provider))
            return Wrong($"execution_provider is {name}, but {provider} is not available. {LookedFor(facts)}{HowToBuild(facts, provider)}");
        var use = Use(request, facts, name);
        return facts.DeviceMemory.Count > 0 && !facts.DeviceMemory.ContainsKey(use.Device)
            ? Wrong($"execution_provider is {name}, but there is no device {use.Device}. {LookedFor(facts)}")
            : Only(use, request.GpuIds.IsEmpty ? $"The deployment does not set num_gpus: {name} runs on device 0 without a reservation." : null);
    }

    private static string HowToBuild(ExecutionProviderFacts facts, string provider) =>
        facts.Providers.Contains(provider) ? "" : " Build Serve with -p:OnnxRuntime=Gpu (OnnxRuntime=Gpu ./serve run …) for CUDA 13 and TensorRT, or name a plug-in provider library by its path.";

    private static ExecutionProviderSelection Use(ExecutionProviderRequest request, ExecutionProviderFacts facts, string name) => new(name, DeviceOf(request), LimitOf(request, facts));

    private static int DeviceOf(ExecutionProviderRequest request) => request.GpuIds.IsEmpty ? 0 : request.GpuIds[0];

    // A fraction of a device leaves the rest of its memory to the other replicas on it.
    private static long? LimitOf(ExecutionProviderRequest request, ExecutionProviderFacts facts) => request.MemoryLimit
        ?? (request.NumGpus is > 0 and < 1 && facts.DeviceMemory.TryGetValue(DeviceOf(request), out var size) ? (long)(size * request.NumGpus) : null);

    private static bool IsPath(string asked) => asked.Contains('/', StringComparison.Ordinal) || asked.Contains('\\', StringComparison.Ordinal)
        || Path.GetExtension(asked) is ".so" or ".dll" or ".dylib";

    private static ExecutionProviderChoice Only(ExecutionProviderSelection use, string? note) => new([use], note, null);

    private static ExecutionProviderChoice Wrong(string error) => new([], null, error);
}

/// <summary>Execution provider and resources that a deployment and a model's options request.</summary>
/// <param name="Asked">The option <c>execution_provider</c>.</param>
/// <param name="GpuIds">GPUs that the scheduler assigned; empty without <c>num_gpus</c>.</param>
/// <param name="NumGpus">Number of reserved GPUs; a fraction shares one.</param>
/// <param name="MemoryLimit">The option <c>memory_limit</c>.</param>
internal sealed record ExecutionProviderRequest(string Asked, ImmutableArray<int> GpuIds, double NumGpus, long? MemoryLimit);

/// <summary>Execution providers and devices of this build of ONNX Runtime and this machine.</summary>
/// <param name="Version">Version of ONNX Runtime.</param>
/// <param name="Providers">Names of the providers in the build.</param>
/// <param name="Libraries">Native libraries that CUDA needs, and whether each could be loaded. Empty if no GPU was requested.</param>
/// <param name="DeviceMemory">Memory of each device in bytes, by device id; empty if unknown.</param>
internal sealed record ExecutionProviderFacts(
    string Version, ImmutableArray<string> Providers, ImmutableArray<(string Name, bool IsThere)> Libraries, ImmutableSortedDictionary<int, long> DeviceMemory);

/// <summary>An execution provider, with the settings for a session.</summary>
/// <param name="Name"><c>cpu</c>, <c>cuda</c>, <c>tensorrt</c>, or a plug-in's file name.</param>
/// <param name="Device">Device id; 0 for the CPU.</param>
/// <param name="MemoryLimit">Limit of device memory in bytes; null for none.</param>
/// <param name="Library">File of a plug-in; null for a built-in provider.</param>
internal sealed record ExecutionProviderSelection(string Name, int Device = 0, long? MemoryLimit = null, string? Library = null)
{
    public const string Cpu = "cpu";
    public const string Cuda = "cuda";
    public const string TensorRt = "tensorrt";

    public bool IsCpu => Name == Cpu;
}
