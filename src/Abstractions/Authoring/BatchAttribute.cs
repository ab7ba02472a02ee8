namespace Serve;

/// <summary>
/// Marks a deployment method that processes several items at once while each caller passes one item and receives one result: the replica batches
/// calls that arrive at about the same time. The method takes one list per argument of its callers, optionally a <see cref="CancellationToken"/>
/// (canceled when the last caller of the batch has disconnected), and returns a list with one result per item:
/// <c>Task&lt;Label[]&gt; Classify(IReadOnlyList&lt;Image&gt; images)</c>. Results can be <see cref="BatchResult{T}"/>, so that single items can fail; a method
/// that returns <c>IAsyncEnumerable&lt;BatchResult&lt;T&gt;[]&gt;</c> streams to all its callers. An exception of the method is returned to all callers.
/// Requests for different multiplexed models never share a batch.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BatchAttribute : Attribute
{
    /// <summary>Maximum number of items in a batch, at least 1; with <see cref="SizeMethod"/>, the maximum sum of their sizes. Default 10, as in Ray Serve.</summary>
    public int MaxBatchSize { get; set; } = 10;

    /// <summary>
    /// Maximum wait of the first item for others, as text: <c>"5ms"</c>, <c>"0.5s"</c>, <c>"200us"</c>, <c>"0"</c>. Default <c>"10ms"</c>, as in Ray Serve. A full batch
    /// does not wait, nor does a batch that already contains all requests that the replica accepts at once. Timers have a resolution of a millisecond.
    /// </summary>
    public string BatchWaitTimeout { get; set; } = "10ms";

    /// <summary>
    /// Maximum number of concurrent batches, at least 1; later items wait in the next batch. Default 1, as in Ray Serve. In a turn-based deployment batches
    /// interleave at awaits; blocking code needs <see cref="ConcurrencyMode.Parallel"/> to run concurrently.
    /// </summary>
    public int MaxConcurrentBatches { get; set; } = 1;

    /// <summary>
    /// Whether the wait adapts to recent batch durations, the arrival rate and the number of concurrent calls, and is skipped where it has no benefit.
    /// <see cref="BatchWaitTimeout"/> is then the maximum. Default false.
    /// </summary>
    public bool Adaptive { get; set; }

    /// <summary>
    /// The name of a method of the class, static or not, that returns the size of one item as an <see cref="int"/>, for instance in tokens or pixels. It takes
    /// the caller's arguments. The size is at least 1; an item larger than <see cref="MaxBatchSize"/> is rejected as bad input. The method runs on the caller's thread
    /// outside of any turn, so it must use nothing but its arguments. Default null: each item has size 1.
    /// </summary>
    public string? SizeMethod { get; set; }
}
