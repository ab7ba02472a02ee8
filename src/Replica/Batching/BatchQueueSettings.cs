namespace Serve.Replica.Batching;

/// <summary>Settings of a batch queue. They can be replaced while the queue runs.</summary>
public sealed record BatchQueueSettings
{
    /// <summary>Maximum number of items in a batch, or maximum total size if items have sizes.</summary>
    public int MaxBatchSize { get; init; } = 10;

    /// <summary>Maximum time that the first item waits for others.</summary>
    public TimeSpan WaitTimeout { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Maximum number of concurrent batches.</summary>
    public int MaxConcurrentBatches { get; init; } = 1;

    /// <summary>Whether the wait adapts to the observed costs; see <see cref="AdaptiveBatchWindow"/>.</summary>
    public bool Adaptive { get; init; }
}
