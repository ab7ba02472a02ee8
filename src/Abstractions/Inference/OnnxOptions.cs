namespace Serve;

/// <summary>Options of a model session. In a configuration file the keys are written in snake_case.</summary>
public sealed record OnnxOptions
{
    /// <summary>
    /// Gets the execution provider. <c>auto</c> (default): the best available one except <c>tensorrt</c>, and the CPU for a deployment without <c>num_gpus</c>. <c>cpu</c>,
    /// <c>cuda</c>, <c>tensorrt</c>: that provider, or an error that names the missing part. A path: a plug-in provider library.
    /// </summary>
    public string ExecutionProvider { get; init; } = "auto";

    /// <summary>Gets options that are passed to the execution provider unchanged, for instance <c>cudnn_conv_algo_search</c>.</summary>
    public IReadOnlyDictionary<string, string> ProviderOptions { get; init; } = new Dictionary<string, string>();

    /// <summary>Gets additional entries of ONNX Runtime's session configuration, for instance <c>session.set_denormal_as_zero</c>.</summary>
    public IReadOnlyDictionary<string, string> SessionConfig { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Gets the number of threads that a run uses. Default null: all models of the process share one pool with a thread per CPU.
    /// </summary>
    public int? IntraOpThreads { get; init; }

    /// <summary>Gets the maximum number of concurrent runs; others are queued. Default null: one per CPU of the process, or 2 on a GPU.</summary>
    public int? MaxConcurrentRuns { get; init; }

    /// <summary>Gets the limit of the session's device memory arena in bytes, on a GPU only. Default null: the device's memory.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Gets the optimization level of the graph: <c>disabled</c>, <c>basic</c>, <c>extended</c> or <c>all</c> (the default).</summary>
    public string Optimization { get; init; } = "all";

    /// <summary>Gets the number of warm-up runs on zeros, with 1 for open lengths, before the model is ready. Default 1.</summary>
    public int WarmUpRuns { get; init; } = 1;
}
