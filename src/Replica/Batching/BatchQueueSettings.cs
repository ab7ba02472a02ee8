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

/// <summary>Batch settings of a model that is served without code. They can be replaced while the model is served.</summary>
public sealed record ModelBatchSettings
{
    /// <summary>Whether requests are batched; null batches them if it is proven that the rows of the model are independent.</summary>
    public bool? Enabled { get; init; }

    /// <summary>Whether inputs with different inner lengths share a run, padded with zeros.</summary>
    public bool Padding { get; init; }

    /// <summary>Settings of the queue; the size of a request is its number of rows.</summary>
    public BatchQueueSettings Queue { get; init; } = new() { MaxBatchSize = 32, MaxConcurrentBatches = 1, Adaptive = true };
}
