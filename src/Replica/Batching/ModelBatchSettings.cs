namespace Serve.Replica.Batching;

/// <summary>How requests for a model are gathered into runs. Immutable; another is put in force while it is served.</summary>
public sealed record ModelBatchSettings
{
    /// <summary>Whether they are at all.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Whether inputs whose inner lengths differ share a run, filled up with zeros at their ends.</summary>
    public bool Padding { get; init; }

    /// <summary>How they are gathered; sizes are rows.</summary>
    public BatchQueueSettings Queue { get; init; } = new() { MaxBatchSize = 32, MaxConcurrentBatches = 1, Adaptive = true };
}
