namespace Serve.Replica.Batching;

/// <summary>What a queue is given for its life, beside what it runs.</summary>
/// <typeparam name="TItem">What callers put in.</typeparam>
internal sealed record BatchQueueOptions<TItem>
{
    /// <summary>How it gathers items, to begin with.</summary>
    public BatchSettings Settings { get; init; } = new();

    /// <summary>How large an item is; null when all count 1.</summary>
    public Func<TItem, int>? SizeOf { get; init; }

    /// <summary>How many callers there can be at once; null when nobody knows. Once all of them wait or run, no batch waits for more.</summary>
    public Func<int>? MaxCallers { get; init; }

    /// <summary>Told of each batch; null when nobody counts them.</summary>
    public IBatchObserver? Observer { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Whether running a batch always hands it to another thread, so that starting it costs a caller nothing.</summary>
    public bool RunsElsewhere { get; init; }

    /// <summary>Fires when everything is to end at once: what waits is cancelled, what runs is told.</summary>
    public CancellationToken Aborted { get; init; }
}
