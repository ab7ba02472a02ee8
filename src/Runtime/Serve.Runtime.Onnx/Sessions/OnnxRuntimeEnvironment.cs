using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Sessions;

/// <summary>Environment of ONNX Runtime, one per process. Created with the first model; until then the native library is not loaded.</summary>
internal static class OnnxRuntimeEnvironment
{
    private static readonly Lock Guard = new();
    private static OrtEnv? _environment;

    /// <summary>Whether all sessions share one thread pool. False if other code created the environment first.</summary>
    public static bool SharesThreads { get; private set; }

    /// <summary>Number of threads that execute one run, including the thread that started it.</summary>
    public static int Threads { get; private set; }

    /// <summary>Gets the environment, and creates it on first use.</summary>
    /// <param name="threads">Number of threads that its sessions share, if it is created now.</param>
    public static OrtEnv Open(int threads)
    {
        lock (Guard)
            return _environment ??= Make(threads);
    }

    private static OrtEnv Make(int threads)
    {
        if (OrtEnv.IsCreated)
            return OrtEnv.Instance();
        using var pool = new OrtThreadingOptions
        {
            GlobalIntraOpNumThreads = threads,
            GlobalInterOpNumThreads = 1,
            GlobalSpinControl = false,
        };
        var options = new EnvironmentCreationOptions
        {
            logId = "serve",
            // Errors are thrown with their text; warnings concern the author of the model.
            logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            threadOptions = pool,
        };
        var made = OrtEnv.CreateInstanceWithOptions(ref options);
        made.DisableTelemetryEvents();
        (SharesThreads, Threads) = (true, threads);
        return made;
    }
}
