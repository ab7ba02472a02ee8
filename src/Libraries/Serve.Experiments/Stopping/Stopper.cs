namespace Serve.Experiments.Stopping;

/// <summary>A rule that stops trials or the whole run. Called by one thread at a time.</summary>
public abstract class Stopper
{
    /// <summary>Returns whether the trial that reported stops.</summary>
    public abstract bool ShouldStop(TrialReported report);

    /// <summary>Returns whether the whole run stops.</summary>
    public virtual bool ShouldStopAll() => false;

    /// <summary>Called when the run starts.</summary>
    public virtual void Start()
    {
    }
}

/// <summary>Creates stoppers.</summary>
public static class Stop
{
    /// <summary>Stops each trial after a number of reports.</summary>
    public static Stopper AfterIterations(int iterations)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(iterations, 1);
        return new FunctionStopper(report => report.Iteration >= iterations);
    }

    /// <summary>Stops each trial whose metric reaches a bound.</summary>
    /// <exception cref="ArgumentException">Not exactly one bound is given.</exception>
    public static Stopper When(string metric, double? atLeast = null, double? atMost = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(metric);
        if (atLeast is null == atMost is null)
            throw new ArgumentException($"Stop.When('{metric}') must have exactly one of atLeast and atMost.");
        return new FunctionStopper(report => report.Metrics[metric] is var value && (value >= atLeast || value <= atMost));
    }

    /// <summary>Stops each trial for which a function returns true.</summary>
    public static Stopper If(Func<TrialReported, bool> condition)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return new FunctionStopper(condition);
    }

    /// <summary>Stops each trial whose last values of a metric have a standard deviation of at most <paramref name="tolerance"/>.</summary>
    /// <param name="metric">The metric.</param>
    /// <param name="tolerance">The largest standard deviation of a plateau.</param>
    /// <param name="results">The number of last values.</param>
    /// <param name="gracePeriod">The number of reports before which no trial stops.</param>
    public static Stopper OnPlateau(string metric, double tolerance = 0.01, int results = 4, int gracePeriod = 4)
    {
        ArgumentException.ThrowIfNullOrEmpty(metric);
        ArgumentOutOfRangeException.ThrowIfLessThan(results, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(tolerance);
        return new PlateauStopper(metric, tolerance, results, gracePeriod);
    }

    /// <summary>Stops the run after a time.</summary>
    /// <param name="limit">The time.</param>
    /// <param name="timeProvider">The clock; the system clock by default.</param>
    public static Stopper After(TimeSpan limit, TimeProvider? timeProvider = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero);
        return new TimeoutStopper(limit, timeProvider ?? TimeProvider.System);
    }

    /// <summary>Stops as soon as one of several stoppers does.</summary>
    public static Stopper Any(params Stopper[] stoppers)
    {
        ArgumentNullException.ThrowIfNull(stoppers);
        return new CombinedStopper([.. stoppers]);
    }
}

/// <summary>Stops trials by a function of the last report.</summary>
internal sealed class FunctionStopper(Func<TrialReported, bool> condition) : Stopper
{
    public override bool ShouldStop(TrialReported report) => condition(report);
}

/// <summary>Stops trials whose metric no longer changes.</summary>
internal sealed class PlateauStopper(string metric, double tolerance, int results, int gracePeriod) : Stopper
{
    private readonly Dictionary<string, Queue<double>> _lastValues = [];

    public override bool ShouldStop(TrialReported report)
    {
        if (!_lastValues.TryGetValue(report.TrialId, out var values))
            _lastValues[report.TrialId] = values = new Queue<double>(results);
        values.Enqueue(report.Metrics[metric]);
        if (values.Count > results)
            values.Dequeue();
        if (values.Count < results || report.Iteration < gracePeriod)
            return false;
        var mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean))) <= tolerance;
    }
}

/// <summary>Stops the run after a time.</summary>
internal sealed class TimeoutStopper(TimeSpan limit, TimeProvider timeProvider) : Stopper
{
    private long _started = timeProvider.GetTimestamp();

    public override void Start() => _started = timeProvider.GetTimestamp();

    public override bool ShouldStop(TrialReported report) => false;

    public override bool ShouldStopAll() => timeProvider.GetElapsedTime(_started) >= limit;
}

/// <summary>Stops as soon as one of several stoppers does. All of them see every report.</summary>
internal sealed class CombinedStopper(IReadOnlyList<Stopper> stoppers) : Stopper
{
    public override void Start()
    {
        foreach (var stopper in stoppers)
            stopper.Start();
    }

    public override bool ShouldStop(TrialReported report)
    {
        var stops = false;
        foreach (var stopper in stoppers)
            stops |= stopper.ShouldStop(report);
        return stops;
    }

    public override bool ShouldStopAll() => stoppers.Any(stopper => stopper.ShouldStopAll());
}
