using Microsoft.ML.OnnxRuntime;

namespace Serve.Runtime.Onnx.Sessions;

/// <summary>ONNX Runtime's environment, one for each process, made with the first model: until then its native library is not loaded. The one writer of its threads.</summary>
internal static class OnnxRuntimeEnvironment
{
    private static readonly Lock Guard = new();
    private static OrtEnv? _environment;

    /// <summary>Whether there is one set of threads for all sessions. Not where other code made the environment before us.</summary>
    public static bool SharesThreads { get; private set; }

    /// <summary>How many threads one run is divided over, its own included.</summary>
    public static int Threads { get; private set; }

    /// <summary>Makes it, or gives the one that is there.</summary>
    /// <param name="threads">How many threads its sessions share, if it is made now.</param>
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
            // What fails is thrown, with its text; warnings are for who makes models.
            logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            threadOptions = pool,
        };
        var made = OrtEnv.CreateInstanceWithOptions(ref options);
        made.DisableTelemetryEvents();
        (SharesThreads, Threads) = (true, threads);
        return made;
    }
}
