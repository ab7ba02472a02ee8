using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>Options of a batch queue that do not change.</summary>
/// <typeparam name="TItem">Item type.</typeparam>
public sealed record BatchQueueOptions<TItem>
{
    /// <summary>Initial settings.</summary>
    public BatchQueueSettings Settings { get; init; } = new();

    /// <summary>Returns the size of an item; null if every item has size 1.</summary>
    public Func<TItem, int>? SizeOf { get; init; }

    /// <summary>Whether an item larger than the maximum batch size is refused; otherwise it forms a batch of its own.</summary>
    public bool RefusesLarger { get; init; } = true;

    /// <summary>Limiter of the replica's concurrent callers; null for none. When the limit is reached or the limiter is closed, no batch waits for more items.</summary>
    public ConcurrencyLimiter? Gate { get; init; }

    /// <summary>Observer of batches; null for none.</summary>
    public IBatchQueueObserver? Observer { get; init; }

    /// <summary>Called with the exception of a batch and the number of callers that fail with it, before they do; not for batches that are aborted with the queue. Null for none.</summary>
    public Action<Exception, int>? Failed { get; init; }

    /// <summary>Clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Whether batches run on another thread anyway, so that the caller's thread can start them.</summary>
    public bool RunsElsewhere { get; init; }

    /// <summary>Aborts the queue: queued items and running batches are canceled.</summary>
    public CancellationToken Aborted { get; init; }
}

/// <summary>Observes batches, for metrics. Called from many threads; must not block or throw.</summary>
public interface IBatchQueueObserver
{
    /// <summary>Called when a batch has ended.</summary>
    /// <param name="items">Number of items at the start.</param>
    /// <param name="utilization">Size as a fraction of the maximum size.</param>
    /// <param name="waited">Time that its first item waited.</param>
    /// <param name="ran">Duration.</param>
    void OnEnded(int items, double utilization, TimeSpan waited, TimeSpan ran);
}
