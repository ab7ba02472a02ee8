namespace Serve.Replica.Batching;

/// <summary>
/// Decides how long a batch that is not full waits for one more item. Written by whoever holds the queue; times are ticks of its clock.
/// <para>
/// A batch of size x takes a + b·x: a line through recent batches by least squares, older ones counting less. BentoML's dispatcher learns the same line, and decides by it whether a request may
/// still be served in time; the aim here is the least waiting in all, without a deadline. Let n callers of size x wait, and the next come in g. Starting now, they have their results after
/// a + b·x, and the next one has to wait for that and then for a batch of its own. Waiting for it delays n + 1 callers by g, and n by its own share of the work, b·x/n, but spares it the fixed cost a of a
/// second batch. The sums of all waiting times differ by a − b·x − (n + 1)·g; so waiting pays while (n + 1)·g + b·x is less than a.
/// </para>
/// <para>
/// g is the median of the time between an arrival and the event before it, an arrival or the end of a batch: callers who wait for results come back in a burst when
/// a batch ends, and a mean would be ruled by the silence between bursts. Silence that has gone on for longer than g counts instead of it, which bounds every wait: by
/// (a − b·x) / (n + 1) after the last event. And nobody waits for more callers than there have been at once lately, so a lone caller never waits.
/// </para>
/// </summary>
internal sealed class AdaptiveWindow
{
    /// <summary>What a batch's share in the line loses with each one after it.</summary>
    private const double Fading = 1 - (1 / 32d);

    /// <summary>By how much one sample moves the median of gaps.</summary>
    private const double Step = 1.1;

    /// <summary>How fast a larger crowd is believed, per batch, and how fast one that has gone is forgotten: one that was seen once may be a caller whose results were still under way.</summary>
    private const double Believing = 1 / 4d;
    private const double Forgetting = 1 / 16d;

    private double weight;
    private double sumX;
    private double sumY;
    private double sumXX;
    private double sumXY;
    private double gap;
    private double crowd;
    private long lastEvent;
    private bool started;

    /// <summary>What a batch takes whatever its size, in ticks; 0 while nothing is known.</summary>
    public double FixedCost { get; private set; }

    /// <summary>What each unit of size adds, in ticks.</summary>
    public double CostPerSize { get; private set; }

    /// <summary>How many callers there have been at once lately.</summary>
    public double Crowd => crowd;

    /// <summary>The typical silence before an arrival, in ticks.</summary>
    public double Gap => gap;

    /// <summary>An item has come.</summary>
    public void OnArrived(long at)
    {
        if (started)
        {
            var sample = Math.Max(1, at - lastEvent);
            gap = gap == 0 ? sample : sample < gap ? Math.Max(sample, gap / Step) : Math.Min(sample, gap * Step);
        }

        started = true;
        lastEvent = Math.Max(lastEvent, at);
    }

    /// <summary>A batch has ended.</summary>
    /// <param name="size">What its sizes add up to.</param>
    /// <param name="took">How long it ran.</param>
    /// <param name="at">When it ended.</param>
    public void OnEnded(int size, long took, long at)
    {
        lastEvent = Math.Max(lastEvent, at);
        weight = (weight * Fading) + 1;
        sumX = (sumX * Fading) + size;
        sumY = (sumY * Fading) + took;
        sumXX = (sumXX * Fading) + ((double)size * size);
        sumXY = (sumXY * Fading) + ((double)size * took);
        var (meanX, meanY) = (sumX / weight, sumY / weight);
        var variance = (sumXX / weight) - (meanX * meanX);
        if (variance > 1e-3 * meanX * meanX)
        {
            CostPerSize = Math.Clamp(((sumXY / weight) - (meanX * meanY)) / variance, 0, meanY / meanX);
            FixedCost = Math.Max(0, meanY - (CostPerSize * meanX));
        }
        else
        {
            // All were of one size, so there is no line: half and half, until others have been seen.
            FixedCost = meanY / 2;
            CostPerSize = meanY / 2 / meanX;
        }
    }

    /// <summary>A batch starts.</summary>
    /// <param name="most">How many callers there were at once, since the one before started.</param>
    public void OnStarted(int most) => crowd += (most - crowd) * (most > crowd ? Believing : Forgetting);

    /// <summary>Until when to wait if nothing more happens. What has passed means at once.</summary>
    /// <param name="callers">How many wait.</param>
    /// <param name="size">What their sizes add up to.</param>
    /// <param name="now">The time.</param>
    public long StartBy(int callers, long size, long now)
    {
        if (FixedCost == 0 || callers + 0.5 >= crowd)
            return now;
        var silence = (FixedCost - (CostPerSize * size)) / (callers + 1);
        return gap >= silence ? now : lastEvent + (long)silence;
    }
}
