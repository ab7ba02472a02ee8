using System.Diagnostics;

namespace Serve.Runtime.Parallel;

/// <summary>
/// Number of items of a runner's next chunk: one at first, then more as long as they are fast, so that a chunk takes a few milliseconds and a cancellation is
/// observed that soon. Written by its runner.
/// </summary>
internal struct AdaptiveChunkSize(int? asked, TimeSpan target)
{
    private const int Growth = 8;
    private readonly long _targetTicks = (long)(target.TotalSeconds * Stopwatch.Frequency);

    /// <summary>Number of items of the next chunk.</summary>
    public int Next { get; private set; } = asked ?? 1;

    /// <summary>Adapts to the duration of a chunk.</summary>
    /// <param name="items">Number of items in the chunk.</param>
    /// <param name="ticks">Duration in <see cref="Stopwatch"/> ticks.</param>
    public void ReportChunk(int items, long ticks)
    {
        if (asked is not null || items == 0)
            return;
        var fitting = ticks <= 0 ? long.MaxValue : Math.Max(1, _targetTicks * items / ticks);
        Next = (int)Math.Min(fitting, Math.Min((long)items * Growth, int.MaxValue / 2));
    }
}
