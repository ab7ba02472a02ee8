using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;
using Serve.Runtime.Onnx.Providers;

namespace Serve.Runtime.Onnx.Sessions;

/// <summary>Loads a model file: selects the provider, creates the session, warms it up. Blocks the calling thread.</summary>
internal sealed partial class OnnxSessionLoader(OnnxOptions options, OnnxLoadContext place, ILogger logger)
{
    private static readonly ImmutableSortedDictionary<string, GraphOptimizationLevel> Levels = new Dictionary<string, GraphOptimizationLevel>
    {
        ["disabled"] = GraphOptimizationLevel.ORT_DISABLE_ALL,
        ["basic"] = GraphOptimizationLevel.ORT_ENABLE_BASIC,
        ["extended"] = GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        ["all"] = GraphOptimizationLevel.ORT_ENABLE_ALL,
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);

    /// <summary>Why the loaded model runs on the CPU although a GPU is assigned; null if it does not.</summary>
    public string? CpuNotice { get; private set; }

    /// <exception cref="InferenceException">The model cannot be loaded, or not with the requested provider.</exception>
    public OnnxSessionLease Load(string path)
    {
        Check();
        var environment = OnnxRuntimeEnvironment.Open(place.Threads);
        var request = new ExecutionProviderRequest(options.ExecutionProvider, place.GpuIds, place.NumGpus, options.MemoryLimit);
        var facts = ExecutionProviderProbe.Look(environment, forGpu: !place.GpuIds.IsEmpty || options.ExecutionProvider is not ("auto" or ExecutionProviderSelection.Cpu));
        var choice = ExecutionProviderChoice.Decide(request, facts);
        if (choice.Error is { } error)
            throw new InferenceException($"{path} cannot be loaded: {error}");
        if (choice.Note is { } note)
            Log.Note(logger, note);
        while (true)
        {
            var file = Read(path);
            var lease = OnnxSessionCache.Shared.Acquire(KeyOf(file, choice), () => Make(path, choice, facts, environment));

            // If the file was replaced between hashing and loading, load it again.
            if (file.IsCurrent)
            {
                Log.Loaded(logger, path, lease.Session.Provider.Name);
                CpuNotice = ExecutionProviderChoice.CpuNotice(Path.GetFileName(path), request, lease.Session.Provider, choice, facts);
                return lease;
            }

            lease.Dispose();
        }
    }

    private static OnnxModelFile Read(string path)
    {
        try
        {
            return OnnxModelFile.Read(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InferenceException($"{path} cannot be read: {error.Message}", error);
        }
    }

    private SharedOnnxSession Make(string path, ExecutionProviderChoice choice, ExecutionProviderFacts facts, OrtEnv environment)
    {
        var started = Stopwatch.GetTimestamp();
        var (native, use) = Open(path, choice, facts, environment);
        SharedOnnxSession session;
        try
        {
            session = new SharedOnnxSession(native, use, Path.GetFileName(path), options.MaxConcurrentRuns ?? (use.IsCpu ? Environment.ProcessorCount : 2));
        }
        catch
        {
            native.Dispose();
            throw;
        }

        try
        {
            session.WarmUp(options.WarmUpRuns);
        }
        catch (Exception failed) when (failed is InferenceException or BadInputException)
        {
            // Zeros of the smallest shape may be an invalid input.
            Log.NotWarm(logger, path, failed.Message);
        }

        if (session.Signature.UnsupportedOutputs is { Count: > 0 } unsupported)
            Log.UnsupportedOutputs(logger, path, string.Join(", ", unsupported));
        session.ObserveLoad(Stopwatch.GetElapsedTime(started));
        return session;
    }

    private (InferenceSession Session, ExecutionProviderSelection Use) Open(string path, ExecutionProviderChoice choice, ExecutionProviderFacts facts, OrtEnv environment)
    {
        foreach (var use in choice.Candidates[..^1])
        {
            try
            {
                return (Open(path, use, environment), use);
            }
            catch (Exception error) when (error is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException)
            {
                Log.NotTaken(logger, use.Name, error.Message, ExecutionProviderChoice.LookedFor(facts));
            }
        }

        var last = choice.Candidates[^1];
        try
        {
            return (Open(path, last, environment), last);
        }
        catch (Exception error) when (error is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new InferenceException($"{path} cannot be loaded: {error.Message.Replace($"Load model from {path} failed:", "", StringComparison.Ordinal)}{(last.IsCpu ? "" : $" {ExecutionProviderChoice.LookedFor(facts)}")}", error);
        }
    }

    private InferenceSession Open(string path, ExecutionProviderSelection use, OrtEnv environment)
    {
        using var settings = new SessionOptions
        {
            GraphOptimizationLevel = Levels[options.Optimization],
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
        };
        if (options.IntraOpThreads is { } threads)
        {
            settings.IntraOpNumThreads = threads;
            settings.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        }
        else if (OnnxRuntimeEnvironment.SharesThreads)
        {
            settings.DisablePerSessionThreads();
        }

        foreach (var (key, value) in options.SessionConfig)
            settings.AddSessionConfigEntry(key, value);
        ExecutionProviderSetup.Append(settings, use, environment, options.ProviderOptions);
        return new InferenceSession(path, settings);
    }

    private static string KeyOf(OnnxOptions options) => string.Join('\n', (string[])
    [
        options.Optimization, $"{options.IntraOpThreads}", $"{options.MaxConcurrentRuns}",
        .. options.ProviderOptions.Order(PairOrder).Select(pair => $"p {pair.Key}={pair.Value}"),
        .. options.SessionConfig.Order(PairOrder).Select(pair => $"s {pair.Key}={pair.Value}"),
    ]);

    private static Comparer<KeyValuePair<string, string>> PairOrder { get; } = Comparer<KeyValuePair<string, string>>.Create(
        static (a, b) => string.CompareOrdinal(a.Key, b.Key));

    private string KeyOf(OnnxModelFile file, ExecutionProviderChoice choice) => string.Create(
        CultureInfo.InvariantCulture, $"{file.Content}\n{string.Join('|', choice.Candidates)}\n{KeyOf(options)}");

    private void Check()
    {
        List<string> errors = [];
        if (!Levels.ContainsKey(options.Optimization))
            errors.Add($"optimization must be one of {string.Join(", ", Levels.Keys)}, but was '{options.Optimization}'.");
        if (options.IntraOpThreads is < 1)
            errors.Add($"intra_op_threads must be at least 1, but was {options.IntraOpThreads}.");
        if (options.MaxConcurrentRuns is < 1)
            errors.Add($"max_concurrent_runs must be at least 1, but was {options.MaxConcurrentRuns}.");
        if (options.MemoryLimit is < 1)
            errors.Add($"memory_limit must be at least 1 byte, but was {options.MemoryLimit}.");
        if (options.WarmUpRuns < 0)
            errors.Add($"warm_up_runs must be at least 0, but was {options.WarmUpRuns}.");
        if (errors.Count > 0)
            throw new DefinitionException(errors);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 7000, Level = LogLevel.Information, Message = "{Path} runs on {Provider}")]
        public static partial void Loaded(ILogger logger, string path, string provider);

        [LoggerMessage(EventId = 7001, Level = LogLevel.Warning, Message = "{Note}")]
        public static partial void Note(ILogger logger, string note);

        [LoggerMessage(EventId = 7002, Level = LogLevel.Warning, Message = "{Provider} is not used: {Reason} {LookedFor}")]
        public static partial void NotTaken(ILogger logger, string provider, string reason, string lookedFor);

        [LoggerMessage(EventId = 7004, Level = LogLevel.Warning, Message = "Outputs of {Path} that are not tensors are not available: {Outputs}")]
        public static partial void UnsupportedOutputs(ILogger logger, string path, string outputs);

        [LoggerMessage(EventId = 7003, Level = LogLevel.Warning, Message = "{Path} could not be warmed up: {Reason}")]
        public static partial void NotWarm(ILogger logger, string path, string reason);
    }
}
