namespace Serve.Replica.Batching;

/// <summary>Counts batches, for metrics. Called from many threads; must not block or throw.</summary>
public interface IBatchQueueObserver
{
    /// <summary>A batch has ended.</summary>
    /// <param name="items">How many items it had when it started.</param>
    /// <param name="utilization">How large it was, as a part of the most it may be.</param>
    /// <param name="waited">How long its first item had waited.</param>
    /// <param name="ran">How long it ran.</param>
    void OnEnded(int items, double utilization, TimeSpan waited, TimeSpan ran);
}
