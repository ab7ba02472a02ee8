using System.Collections.Immutable;

namespace Serve.Routes;

/// <summary>
/// Requests to an application with two revisions, as one process has counted them since the canary was routed. A process reports its counts as a JSON object by application, when they change; the
/// reports of all processes of a node are published together.
/// </summary>
public sealed record RevisionRequestReport
{
    /// <summary>The topic under which reports are published.</summary>
    public const string Topic = "revision-requests";

    /// <summary>Number of the canary's revision.</summary>
    public required long Revision { get; init; }

    /// <summary>Requests to the stable revision.</summary>
    public RequestCounts Stable { get; init; } = RequestCounts.None;

    /// <summary>Requests to the canary.</summary>
    public RequestCounts Canary { get; init; } = RequestCounts.None;

    /// <summary>Copies of requests.</summary>
    public RequestCounts Shadow { get; init; } = RequestCounts.None;
}

/// <summary>Numbers of completed requests, of those that failed, and of those per latency bucket. Immutable.</summary>
/// <param name="Requests">Number of requests.</param>
/// <param name="Errors">Number of those that failed: answered with a status of 500 or more, or with an exception.</param>
/// <param name="Buckets">Number of requests by latency: bucket <c>i</c> ends at <see cref="BucketEnd"/>; empty if there are none.</param>
public sealed record RequestCounts(long Requests, long Errors, ImmutableArray<long> Buckets)
{
    /// <summary>Number of buckets. The last one also counts all longer requests.</summary>
    public const int BucketCount = 80;

    private const double First = 0.05;
    private const double Growth = 1.22;

    private static readonly double[] Ends = [.. Enumerable.Range(0, BucketCount).Select(static i => First * Math.Pow(Growth, i))];

    /// <summary>No requests.</summary>
    public static RequestCounts None { get; } = new(0, 0, []);

    /// <summary>The share of requests that failed, 0 to 1; 0 if there are none.</summary>
    public double ErrorRate => Requests == 0 ? 0 : (double)Errors / Requests;

    /// <summary>Returns the upper end of a bucket in milliseconds.</summary>
    /// <param name="bucket">Index of the bucket.</param>
    public static double BucketEnd(int bucket) => Ends[bucket];

    /// <summary>Returns the bucket of a latency.</summary>
    /// <param name="milliseconds">The latency.</param>
    public static int BucketOf(double milliseconds)
    {
        var found = Array.BinarySearch(Ends, milliseconds);
        return Math.Min(found < 0 ? ~found : found, BucketCount - 1);
    }

    /// <summary>Returns the sum.</summary>
    /// <param name="other">The other numbers.</param>
    public RequestCounts Plus(RequestCounts other) => Combine(other, 1);

    /// <summary>Returns the difference.</summary>
    /// <param name="other">Earlier numbers of the same counters.</param>
    public RequestCounts Minus(RequestCounts other) => Combine(other, -1);

    /// <summary>Estimates a percentile of the latency, interpolated within its bucket; the error is at most the width of a bucket, 22 %.</summary>
    /// <param name="percentile">The percentile, 0 to 100.</param>
    /// <returns>Milliseconds; null if there are no requests.</returns>
    public double? LatencyAt(double percentile)
    {
        var total = Buckets.Sum();
        if (total == 0)
            return null;
        var rank = percentile / 100 * total;
        long below = 0;
        for (var i = 0; i < Buckets.Length; i++)
        {
            if (Buckets[i] > 0 && below + Buckets[i] >= rank)
            {
                var start = i == 0 ? 0 : Ends[i - 1];
                return start + ((Ends[i] - start) * Math.Clamp((rank - below) / Buckets[i], 0, 1));
            }

            below += Buckets[i];
        }

        return Ends[^1];
    }

    private RequestCounts Combine(RequestCounts other, int sign)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Requests == 0)
            return this;
        var buckets = new long[BucketCount];
        Buckets.CopyTo(buckets);
        for (var i = 0; i < other.Buckets.Length; i++)
            buckets[i] += sign * other.Buckets[i];
        return new(Requests + (sign * other.Requests), Errors + (sign * other.Errors), [.. buckets]);
    }
}
