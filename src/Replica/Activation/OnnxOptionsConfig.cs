namespace Serve.Replica.Activation;

/// <summary>The keys of <see cref="OnnxOptions"/> as a config file has them: one that is not there, or has no value, means its default.</summary>
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
