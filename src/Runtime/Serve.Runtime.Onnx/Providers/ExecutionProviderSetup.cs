using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Providers;

/// <summary>Configures the execution provider of a session. Remembers the plug-in libraries that this process has registered.</summary>
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

                // For the nodes that TensorRT does not support.
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

        // With a limit the arena must grow by the requested size; growing by powers of two would stop at half of the limit.
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
            throw new InferenceException($"execution_provider is {library}, but the file {path} does not exist.");
        var names = Register(environment, path);
        var devices = environment.GetEpDevices().Where(device => names.Contains(device.EpName)).ToList();
        if (devices.Count == 0)
            throw new InferenceException($"The provider library {path} was loaded, but it offers no device on this machine.");
        session.AppendExecutionProvider(environment, [devices[Math.Min(use.Device, devices.Count - 1)]], options);
    }

    // The providers of a library are those that registering it adds.
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

        // The user's options take precedence over those derived from the deployment.
        foreach (var (key, value) in options)
            all[key] = value;
        return all;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
