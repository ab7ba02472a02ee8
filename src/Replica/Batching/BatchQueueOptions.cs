using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>What a queue is given for its life, beside what it runs.</summary>
/// <typeparam name="TItem">What callers put in.</typeparam>
public sealed record BatchQueueOptions<TItem>
{
    /// <summary>How it gathers items, to begin with.</summary>
    public BatchQueueSettings Settings { get; init; } = new();

    /// <summary>How large an item is; null when all count 1.</summary>
    public Func<TItem, int>? SizeOf { get; init; }

    /// <summary>Whether an item that is larger than a batch may be is refused; otherwise it is a batch of its own.</summary>
    public bool RefusesLarger { get; init; } = true;

    /// <summary>What lets callers in; null when nobody knows. Once all that it lets in wait or run, or it is closed, no batch waits for more.</summary>
    public ConcurrencyLimiter? Gate { get; init; }

    /// <summary>Told of each batch; null when nobody counts them.</summary>
    public IBatchQueueObserver? Observer { get; init; }

    /// <summary>Told of what a batch threw and how many callers fail with it, before they do; null when nobody asks. Not of one that is told to end with the queue and does.</summary>
    public Action<Exception, int>? Failed { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Whether running a batch always hands it to another thread, so that starting it costs a caller nothing.</summary>
    public bool RunsElsewhere { get; init; }

    /// <summary>Fires when everything is to end at once: what waits is cancelled, what runs is told.</summary>
    public CancellationToken Aborted { get; init; }
}
