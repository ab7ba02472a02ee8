namespace Serve.Replica.Activation;

/// <summary>Options of a model as written in a config file; absent keys and null have the defaults of <see cref="OnnxOptions"/>.</summary>
public record OnnxOptionsConfig
{
    public string? ExecutionProvider { get; init; }

    public Dictionary<string, string>? ProviderOptions { get; init; }

    public Dictionary<string, string>? SessionConfig { get; init; }

    public int? IntraOpThreads { get; init; }

    public int? MaxConcurrentRuns { get; init; }

    public long? MemoryLimit { get; init; }

    public string? Optimization { get; init; }

    public int? WarmUpRuns { get; init; }

    public OnnxOptions ToOptions()
    {
        var defaults = new OnnxOptions();
        return new()
        {
            ExecutionProvider = ExecutionProvider ?? defaults.ExecutionProvider,
            ProviderOptions = ProviderOptions ?? defaults.ProviderOptions,
            SessionConfig = SessionConfig ?? defaults.SessionConfig,
            IntraOpThreads = IntraOpThreads,
            MaxConcurrentRuns = MaxConcurrentRuns,
            MemoryLimit = MemoryLimit,
            Optimization = Optimization ?? defaults.Optimization,
            WarmUpRuns = WarmUpRuns ?? defaults.WarmUpRuns,
        };
    }
}
