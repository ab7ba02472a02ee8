using System.Collections.Immutable;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>Decides where a model runs. Pure.</summary>
/// <param name="Candidates">What to try, the best first; empty when there is an error.</param>
/// <param name="Note">What the replica's log should say besides what was taken; null for nothing.</param>
/// <param name="Error">Why there is none; null when there is.</param>
internal sealed record ExecutionProviderChoice(ImmutableArray<ExecutionProviderSelection> Candidates, string? Note, string? Error)
{
    private const string CudaProvider = "CUDAExecutionProvider";
    private const string TensorRtProvider = "TensorrtExecutionProvider";
    private static readonly string[] Known = ["auto", ExecutionProviderSelection.Cpu, ExecutionProviderSelection.Cuda, ExecutionProviderSelection.TensorRt];

    /// <summary>Chooses.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="facts">What is there.</param>
    public static ExecutionProviderChoice Decide(ExecutionProviderRequest request, ExecutionProviderFacts facts) => request.Asked switch
    {
        "auto" => Best(request, facts),
        ExecutionProviderSelection.Cpu => Only(new ExecutionProviderSelection(ExecutionProviderSelection.Cpu), request.GpuIds.IsEmpty ? null : "num_gpus is set and execution_provider is cpu: the device is not used."),
        ExecutionProviderSelection.Cuda => Gpu(request, facts, ExecutionProviderSelection.Cuda, CudaProvider),
        ExecutionProviderSelection.TensorRt => Gpu(request, facts, ExecutionProviderSelection.TensorRt, TensorRtProvider),
        _ when IsPath(request.Asked) => Only(
            new ExecutionProviderSelection(Path.GetFileNameWithoutExtension(request.Asked), DeviceOf(request), LimitOf(request, facts), request.Asked), null),
        _ => Wrong($"execution_provider is '{request.Asked}'{(NearestNameFinder.Find(request.Asked, Known) is { } near ? $" (did you mean '{near}'?)" : "")}. "
            + "It is auto, cpu, cuda, tensorrt, or the path of a plug-in provider library."),
    };

    /// <summary>What of the machine was looked at for a GPU, for a message.</summary>
    public static string LookedFor(ExecutionProviderFacts facts)
    {
        var missing = facts.Libraries.Where(library => !library.IsThere).Select(library => library.Name).ToList();
        return $"This build of ONNX Runtime {facts.Version} has {string.Join(", ", facts.Providers)}. "
            + (facts.Libraries.IsEmpty ? "" : missing.Count == 0
                ? $"All the native libraries that were looked for are there: {string.Join(", ", facts.Libraries.Select(library => library.Name))}. "
                : $"Native libraries that could not be loaded: {string.Join(", ", missing)}. ")
            + (facts.DeviceMemory.IsEmpty ? "The NVIDIA driver shows no device." : $"The NVIDIA driver shows {facts.DeviceMemory.Count} device{(facts.DeviceMemory.Count == 1 ? "" : "s")}.");
    }

    private static ExecutionProviderChoice Best(ExecutionProviderRequest request, ExecutionProviderFacts facts)
    {
        var cpu = new ExecutionProviderSelection(ExecutionProviderSelection.Cpu);
        if (request.GpuIds.IsEmpty)
            return Only(cpu, null);
        return facts.Providers.Contains(CudaProvider)
            ? new([Use(request, facts, ExecutionProviderSelection.Cuda), cpu], null, null)
            : Only(cpu, $"num_gpus is {request.NumGpus}, and there is no GPU to run on. {LookedFor(facts)}{HowToBuild(facts, CudaProvider)}");
    }

    private static ExecutionProviderChoice Gpu(ExecutionProviderRequest request, ExecutionProviderFacts facts, string name, string provider)
    {
        if (!facts.Providers.Contains(provider))
            return Wrong($"execution_provider is {name}, and {provider} is not there. {LookedFor(facts)}{HowToBuild(facts, provider)}");
        var use = Use(request, facts, name);
        return facts.DeviceMemory.Count > 0 && !facts.DeviceMemory.ContainsKey(use.Device)
            ? Wrong($"execution_provider is {name}, and there is no device {use.Device}. {LookedFor(facts)}")
            : Only(use, request.GpuIds.IsEmpty ? $"The deployment has no num_gpus: {name} runs on device 0, which nobody has reserved." : null);
    }

    private static string HowToBuild(ExecutionProviderFacts facts, string provider) =>
        facts.Providers.Contains(provider) ? "" : " Build Serve with -p:OnnxRuntime=Gpu (OnnxRuntime=Gpu ./serve run …) for CUDA and TensorRT, or name a plug-in provider library by its path.";

    private static ExecutionProviderSelection Use(ExecutionProviderRequest request, ExecutionProviderFacts facts, string name) => new(name, DeviceOf(request), LimitOf(request, facts));

    private static int DeviceOf(ExecutionProviderRequest request) => request.GpuIds.IsEmpty ? 0 : request.GpuIds[0];

    // Who has a fraction of a device leaves the rest of its memory to the others on it.
    private static long? LimitOf(ExecutionProviderRequest request, ExecutionProviderFacts facts) => request.MemoryLimit
        ?? (request.NumGpus is > 0 and < 1 && facts.DeviceMemory.TryGetValue(DeviceOf(request), out var size) ? (long)(size * request.NumGpus) : null);

    private static bool IsPath(string asked) => asked.Contains('/', StringComparison.Ordinal) || asked.Contains('\\', StringComparison.Ordinal)
        || Path.GetExtension(asked) is ".so" or ".dll" or ".dylib";

    private static ExecutionProviderChoice Only(ExecutionProviderSelection use, string? note) => new([use], note, null);

    private static ExecutionProviderChoice Wrong(string error) => new([], null, error);
}
