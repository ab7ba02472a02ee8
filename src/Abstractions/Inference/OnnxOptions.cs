namespace Serve;

/// <summary>How a model is loaded and run. In a config file these keys are written in snake_case.</summary>
public sealed record OnnxOptions
{
    /// <summary>
    /// Where it runs. <c>auto</c> (the default): the best that is there, <c>tensorrt</c> only when asked for; on the CPU for a deployment without <c>num_gpus</c>. <c>cpu</c>,
    /// <c>cuda</c> and <c>tensorrt</c>: that one, or an error that says what was looked for. A path: the plug-in provider library that lies there.
    /// </summary>
    public string ExecutionProvider { get; init; } = "auto";

    /// <summary>Passed on to the execution provider as they are, for instance <c>cudnn_conv_algo_search</c>.</summary>
    public IReadOnlyDictionary<string, string> ProviderOptions { get; init; } = new Dictionary<string, string>();

    /// <summary>Further entries of ONNX Runtime's session configuration, for instance <c>session.set_denormal_as_zero</c>.</summary>
    public IReadOnlyDictionary<string, string> SessionConfig { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Threads that one run is divided over. Default null: the process has one set of threads, as many as it has CPUs, which all its models share.
    /// </summary>
    public int? IntraOpThreads { get; init; }

    /// <summary>How many runs may be under way at a time; others wait in order. Default null: one for each CPU of the process; on a GPU 2.</summary>
    public int? MaxConcurrentRuns { get; init; }

    /// <summary>The most device memory that the session's arena takes, in bytes; default null: no limit but the device's. On a GPU only.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>How far the graph is optimized when it is loaded: <c>disabled</c>, <c>basic</c>, <c>extended</c> or <c>all</c> (the default).</summary>
    public string Optimization { get; init; } = "all";

    /// <summary>How often it is run on zeros before it counts as loaded; open lengths are taken as 1. Default 1; 0 for not at all.</summary>
    public int WarmUpRuns { get; init; } = 1;
}
