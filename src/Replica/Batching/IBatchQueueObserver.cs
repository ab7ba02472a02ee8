namespace Serve.Replica.Batching;

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
