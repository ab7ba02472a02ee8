using System.Diagnostics;

namespace Serve.Runtime.Parallel;

/// <summary>
/// How many items the next chunk of one runner has: a single one at first, then more as long as they prove quick, so that a chunk takes a
/// few milliseconds and a cancellation is heard that soon. Written by the runner that owns it.
/// </summary>
internal struct AdaptiveChunkSize(int? asked, TimeSpan target)
{
    private const int Growth = 8;
    private readonly long _targetTicks = (long)(target.TotalSeconds * Stopwatch.Frequency);

    /// <summary>Items for the next chunk.</summary>
    public int Next { get; private set; } = asked ?? 1;

    /// <summary>Learns from a chunk that has run.</summary>
    /// <param name="items">Its items.</param>
    /// <param name="ticks">How long it took, in <see cref="Stopwatch"/> ticks.</param>
    public void ReportChunk(int items, long ticks)
    {
        if (asked is not null || items == 0)
            return;
        var fitting = ticks <= 0 ? long.MaxValue : Math.Max(1, _targetTicks * items / ticks);
        Next = (int)Math.Min(fitting, Math.Min((long)items * Growth, int.MaxValue / 2));
    }
}
