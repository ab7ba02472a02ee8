namespace Serve.Replica.Batching;

/// <summary>
/// Decides how long a batch that is not full waits for another item. Owned by the queue's current decider; times are ticks of its clock.
/// <para>
/// A batch of size x takes a + b·x: a least-squares line through recent batches, with exponentially decaying weights. BentoML's dispatcher fits the same line to decide whether a request
/// can still meet its deadline; the objective here is the smallest total waiting time, without a deadline. Assume that n callers of total size x wait, and the next one arrives after g. If the batch starts now, they
/// have their results after a + b·x, and the next caller waits for that and then for a batch of its own. Waiting for it delays n + 1 callers by g, and n of them by its share of the work, b·x/n, but saves the
/// fixed cost a of a second batch. The total waiting times differ by a − b·x − (n + 1)·g; waiting therefore pays while (n + 1)·g + b·x is less than a.
/// </para>
/// <para>
/// g is the median time between an arrival and the event before it, an arrival or the end of a batch: callers that wait for results return in a burst when a batch ends, and a mean
/// would be dominated by the silence between bursts. A silence longer than g replaces it, which bounds every wait by (a − b·x) / (n + 1) after the last event. A batch never waits for more
/// callers than were concurrent recently, so a single caller never waits.
/// </para>
/// </summary>
internal sealed class AdaptiveBatchWindow
{
    /// <summary>Decay of a batch's weight with each later batch.</summary>
    private const double Fading = 1 - (1 / 32d);

    /// <summary>Factor by which one sample moves the median of gaps.</summary>
    private const double Step = 1.1;

    /// <summary>Smoothing of the number of concurrent callers per batch, upwards and downwards: a peak that occurred once may be a caller whose result was still being delivered.</summary>
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

    /// <summary>Fixed cost of a batch in ticks; 0 before the first batch.</summary>
    public double FixedCost { get; private set; }

    /// <summary>Cost per unit of size in ticks.</summary>
    public double CostPerSize { get; private set; }

    /// <summary>Returns the expected duration of a batch in ticks; 0 before the first batch.</summary>
    public long CostOf(long size) => (long)(FixedCost + (CostPerSize * size));

    /// <summary>Recent number of concurrent callers.</summary>
    public double Crowd => _crowd;

    /// <summary>Typical time before an arrival in ticks.</summary>
    public double Gap => _gap;

    /// <summary>Records the arrival of an item.</summary>
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

    /// <summary>Records the end of a batch.</summary>
    /// <param name="size">Total size of its items.</param>
    /// <param name="took">Duration.</param>
    /// <param name="at">Time of the end.</param>
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
            // All batches had the same size, so there is no line: assume half of the cost is fixed.
            FixedCost = meanY / 2;
            CostPerSize = meanY / 2 / meanX;
        }
    }

    /// <summary>Records the start of a batch.</summary>
    /// <param name="most">Maximum number of concurrent callers since the previous start.</param>
    public void OnStarted(int most) => _crowd += (most - _crowd) * (most > _crowd ? Believing : Forgetting);

    /// <summary>Returns when the batch must start if nothing else happens; a time in the past means immediately.</summary>
    /// <param name="callers">Number of waiting callers.</param>
    /// <param name="size">Total size of their items.</param>
    /// <param name="now">Current time.</param>
    public long StartBy(int callers, long size, long now)
    {
        if (FixedCost == 0 || callers + 0.5 >= _crowd)
            return now;
        var silence = (FixedCost - (CostPerSize * size)) / (callers + 1);
        return _gap >= silence ? now : _lastEvent + (long)silence;
    }
}
