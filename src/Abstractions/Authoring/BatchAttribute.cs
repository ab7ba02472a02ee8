namespace Serve;

/// <summary>
/// Says that a method works on many items at once, while its callers call it with one item and get one result: the replica gathers the calls
/// that come at about the same time and hands them to the method together. It takes one list per argument of its callers, and a
/// <see cref="CancellationToken"/> if it likes (cancelled when the last caller of the batch has gone), and returns a list with one result per item:
/// <c>Task&lt;Label[]&gt; Classify(IReadOnlyList&lt;Image&gt; images)</c>. Results may be <see cref="BatchResult{T}"/>, so that one item can fail alone; a method
/// that returns <c>IAsyncEnumerable&lt;BatchResult&lt;T&gt;[]&gt;</c> streams to all its callers at once. What it throws is what all its callers get.
/// Requests for different multiplexed models never share a batch. A method with this attribute belongs to a deployment.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BatchAttribute : Attribute
{
    /// <summary>How many items a batch has at most, at least 1; with <see cref="SizeMethod"/>, how much their sizes may add up to. Default 10, as in Ray Serve.</summary>
    public int MaxBatchSize { get; set; } = 10;

    /// <summary>
    /// How long the first item waits for others, as text: <c>"5ms"</c>, <c>"0.5s"</c>, <c>"200us"</c>, <c>"0"</c>. Default <c>"10ms"</c>, as in Ray Serve. A batch that is full does
    /// not wait, nor does one that nobody can join, because all that the replica takes at once are in it. Timers go by milliseconds.
    /// </summary>
    public string BatchWaitTimeout { get; set; } = "10ms";

    /// <summary>
    /// How many batches run at once, at least 1; others queue meanwhile and fill up. Default 1, as in Ray Serve. In a turn-based deployment they
    /// interleave at awaits; code that blocks needs <see cref="ConcurrencyMode.Parallel"/> to run beside itself.
    /// </summary>
    public int MaxConcurrentBatches { get; set; } = 1;

    /// <summary>
    /// Whether the wait is learned from how long batches took lately, how fast calls come and how many there are at once, and left out where it would not pay.
    /// <see cref="BatchWaitTimeout"/> is then the longest wait. Default false.
    /// </summary>
    public bool Adaptive { get; set; }

    /// <summary>
    /// The name of a method of the class, static or not, that says how large one item is in whatever counts: tokens, pixels. It takes what a caller
    /// passes and returns an <see cref="int"/>; an item counts at least 1, and one larger than <see cref="MaxBatchSize"/> is refused as bad input. It is asked on the caller's thread and not
    /// in a turn, so it should look at nothing but its argument. Default null: every item counts 1.
    /// </summary>
    public string? SizeMethod { get; set; }
}
