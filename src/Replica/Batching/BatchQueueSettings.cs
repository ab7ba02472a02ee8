namespace Serve.Replica.Batching;

/// <summary>How a queue gathers items. Immutable; a queue takes another while it runs.</summary>
public sealed record BatchQueueSettings
{
    /// <summary>How many items, or how much of their sizes, a batch has at most.</summary>
    public int MaxBatchSize { get; init; } = 10;

    /// <summary>How long the first item waits for others at most.</summary>
    public TimeSpan WaitTimeout { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How many batches run at once.</summary>
    public int MaxConcurrentBatches { get; init; } = 1;

    /// <summary>Whether the wait is learned: see <see cref="AdaptiveBatchWindow"/>.</summary>
    public bool Adaptive { get; init; }
}
