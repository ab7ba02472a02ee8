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
internal sealed class AdaptiveBatchWindow
{
    /// <summary>What a batch's share in the line loses with each one after it.</summary>
    private const double Fading = 1 - (1 / 32d);

    /// <summary>By how much one sample moves the median of gaps.</summary>
    private const double Step = 1.1;

    /// <summary>How fast a larger crowd is believed, per batch, and how fast one that has gone is forgotten: one that was seen once may be a caller whose results were still under way.</summary>
    private const double Believing = 1 / 4d;
    private const double Forgetting = 1 / 16d;

    private double _weight;
    private double _sumX;
    private double _sumY;
    private double _sumXX;
    private double _sumXY;
    private double _gap;
    private double _crowd;
    private long _lastEvent;
    private bool _started;

    /// <summary>What a batch takes whatever its size, in ticks; 0 while nothing is known.</summary>
    public double FixedCost { get; private set; }

    /// <summary>What each unit of size adds, in ticks.</summary>
    public double CostPerSize { get; private set; }

    /// <summary>How many callers there have been at once lately.</summary>
    public double Crowd => _crowd;

    /// <summary>The typical silence before an arrival, in ticks.</summary>
    public double Gap => _gap;

    /// <summary>An item has come.</summary>
    public void OnArrived(long at)
    {
        if (_started)
        {
            var sample = Math.Max(1, at - _lastEvent);
            _gap = _gap == 0 ? sample : sample < _gap ? Math.Max(sample, _gap / Step) : Math.Min(sample, _gap * Step);
        }

        _started = true;
        _lastEvent = Math.Max(_lastEvent, at);
    }

    /// <summary>A batch has ended.</summary>
    /// <param name="size">What its sizes add up to.</param>
    /// <param name="took">How long it ran.</param>
    /// <param name="at">When it ended.</param>
    public void OnEnded(int size, long took, long at)
    {
        _lastEvent = Math.Max(_lastEvent, at);
        _weight = (_weight * Fading) + 1;
        _sumX = (_sumX * Fading) + size;
        _sumY = (_sumY * Fading) + took;
        _sumXX = (_sumXX * Fading) + ((double)size * size);
        _sumXY = (_sumXY * Fading) + ((double)size * took);
        var (meanX, meanY) = (_sumX / _weight, _sumY / _weight);
        var variance = (_sumXX / _weight) - (meanX * meanX);
        if (variance > 1e-3 * meanX * meanX)
        {
            CostPerSize = Math.Clamp(((_sumXY / _weight) - (meanX * meanY)) / variance, 0, meanY / meanX);
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
    public void OnStarted(int most) => _crowd += (most - _crowd) * (most > _crowd ? Believing : Forgetting);

    /// <summary>Until when to wait if nothing more happens. What has passed means at once.</summary>
    /// <param name="callers">How many wait.</param>
    /// <param name="size">What their sizes add up to.</param>
    /// <param name="now">The time.</param>
    public long StartBy(int callers, long size, long now)
    {
        if (FixedCost == 0 || callers + 0.5 >= _crowd)
            return now;
        var silence = (FixedCost - (CostPerSize * size)) / (callers + 1);
        return _gap >= silence ? now : _lastEvent + (long)silence;
    }
}
