using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>Tells a session which execution provider to use. Holds no state but which plug-ins this process has registered.</summary>
internal static class ExecutionProviderSetup
{
    private static readonly Lock Guard = new();
    private static readonly Dictionary<string, string[]> PlugIns = new(StringComparer.Ordinal);

    public static void Append(SessionOptions session, ExecutionProviderSelection use, OrtEnv environment, IReadOnlyDictionary<string, string> options)
    {
        switch (use)
        {
            case { Library: { } library }:
                AppendPlugIn(session, use, library, environment, options);
                break;
            case { Name: ExecutionProviderSelection.TensorRt }:
                using (var tensorRt = new OrtTensorRTProviderOptions())
                {
                    tensorRt.UpdateOptions(With(options, [("device_id", Text(use.Device))]));
                    session.AppendExecutionProvider_Tensorrt(tensorRt);
                }

                // For the nodes that TensorRT does not take.
                AppendCuda(session, use, new Dictionary<string, string>());
                break;
            case { Name: ExecutionProviderSelection.Cuda }:
                AppendCuda(session, use, options);
                break;
            default:
                break;
        }
    }

    private static void AppendCuda(SessionOptions session, ExecutionProviderSelection use, IReadOnlyDictionary<string, string> options)
    {
        using var cuda = new OrtCUDAProviderOptions();

        // With a limit the arena grows by what is needed; by powers of two it would stop at half of it.
        cuda.UpdateOptions(With(options, use.MemoryLimit is { } limit
            ? [("device_id", Text(use.Device)), ("gpu_mem_limit", Text(limit)), ("arena_extend_strategy", "kSameAsRequested")]
            : [("device_id", Text(use.Device))]));
        session.AppendExecutionProvider_CUDA(cuda);
    }

    private static void AppendPlugIn(
        SessionOptions session, ExecutionProviderSelection use, string library, OrtEnv environment, IReadOnlyDictionary<string, string> options)
    {
        var path = Path.GetFullPath(library);
        if (!File.Exists(path))
            throw new InferenceException($"execution_provider is {library}, and there is no file {path}.");
        var names = Register(environment, path);
        var devices = environment.GetEpDevices().Where(device => names.Contains(device.EpName)).ToList();
        if (devices.Count == 0)
            throw new InferenceException($"The provider library {path} was loaded and offers no device on this machine.");
        session.AppendExecutionProvider(environment, [devices[Math.Min(use.Device, devices.Count - 1)]], options);
    }

    // Its providers are those that are there after it was registered and were not before.
    private static string[] Register(OrtEnv environment, string path)
    {
        lock (Guard)
        {
            if (PlugIns.TryGetValue(path, out var names))
                return names;
            var before = environment.GetEpDevices().Select(device => device.EpName).ToHashSet(StringComparer.Ordinal);
            environment.RegisterExecutionProviderLibrary($"serve-{PlugIns.Count}-{Path.GetFileNameWithoutExtension(path)}", path);
            return PlugIns[path] = [.. environment.GetEpDevices().Select(device => device.EpName).Where(name => !before.Contains(name)).Distinct()];
        }
    }

    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string> options, (string Key, string Value)[] ours)
    {
        var all = ours.ToDictionary(pair => pair.Key, pair => pair.Value);

        // What the user says goes before what follows from the deployment.
        foreach (var (key, value) in options)
            all[key] = value;
        return all;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
