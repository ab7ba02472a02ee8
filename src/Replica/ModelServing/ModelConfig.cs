using System.Collections.Immutable;

namespace Serve.Replica.ModelServing;

/// <summary>A model's <c>user_config</c>: the keys of <see cref="OnnxOptions"/>, and which versions are loaded. Its key <c>batching</c> is <see cref="ModelBatching"/>'s.</summary>
internal sealed record ModelConfig
{
    public string? ExecutionProvider { get; init; }

    public Dictionary<string, string>? ProviderOptions { get; init; }

    public Dictionary<string, string>? SessionConfig { get; init; }

    public int? IntraOpThreads { get; init; }

    public int? MaxConcurrentRuns { get; init; }

    public long? MemoryLimit { get; init; }

    public string? Optimization { get; init; }

    public int? WarmUpRuns { get; init; }

    /// <summary>Which versions are loaded; all that are there when it is not set.</summary>
    public ImmutableArray<long>? Versions { get; init; }

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
