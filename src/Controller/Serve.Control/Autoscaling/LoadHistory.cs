using System.Collections.Immutable;
using Serve.Specs;

namespace Serve.Control.Autoscaling;

/// <summary>
/// Load of a deployment over the look-back period as a step function, in at most about <see cref="Resolution"/> samples: the integral of closer steps is exact, their order
/// is not kept.
/// </summary>
public sealed record LoadHistory
{
    private const int Resolution = 64;

    private readonly ImmutableArray<LoadSample> _samples = [];

    private LoadHistory(ImmutableArray<LoadSample> samples) => _samples = samples;

    /// <summary>A history without samples.</summary>
    public static LoadHistory Empty { get; } = new([]);

    /// <summary>The newest load.</summary>
    public double Current => _samples.IsEmpty ? 0 : _samples[^1].Value;

    /// <summary>Returns this history with a load that is in effect from now on. A clock that went back starts a new history.</summary>
    public LoadHistory Add(DateTimeOffset now, double value, TimeSpan period)
    {
        if (_samples.IsEmpty || now < _samples[^1].At)
            return new([new(now, value, 0, value, value)]);
        var last = _samples[^1];
        if (value == last.Value)
            return this;
        var next = new LoadSample(now, value, last.Integral + (last.Value * (now - last.At).TotalSeconds), value, value);
        var kept = _samples;
        if (kept.Length > 1 && now - kept[^2].At < period / Resolution)
        {
            var before = kept[^2];
            kept = kept.RemoveAt(kept.Length - 1).SetItem(kept.Length - 2, before with
            {
                Highest = Math.Max(before.Highest, last.Highest),
                Lowest = Math.Min(before.Lowest, last.Lowest),
            });
        }

        var expired = 0;
        while (expired + 1 < kept.Length && kept[expired + 1].At <= now - period)
            expired++;
        return new(kept.RemoveRange(0, expired).Add(next));
    }

    /// <summary>Aggregates the load of the time before now; of a shorter time if the history is shorter.</summary>
    public double Aggregate(LoadAggregation aggregation, DateTimeOffset now, TimeSpan window)
    {
        if (_samples.IsEmpty)
            return 0;
        var from = now - window > _samples[0].At ? now - window : _samples[0].At;
        if (from >= now || IsConstant(now, window))
            return Current;
        if (aggregation == LoadAggregation.Mean)
            return (IntegralAt(now) - IntegralAt(from)) / (now - from).TotalSeconds;
        var seen = Enumerable.Range(0, _samples.Length).Where(index => index + 1 == _samples.Length || _samples[index + 1].At > from).Select(index => _samples[index]);
        return aggregation == LoadAggregation.Max ? seen.Max(sample => sample.Highest) : seen.Min(sample => sample.Lowest);
    }

    /// <summary>Returns whether the load has not changed within a time.</summary>
    public bool IsConstant(DateTimeOffset now, TimeSpan window) => _samples.Length < 2 || _samples[^1].At <= now - window;

    private double IntegralAt(DateTimeOffset time)
    {
        var index = _samples.Length - 1;
        while (index > 0 && _samples[index].At > time)
            index--;
        var sample = _samples[index];
        var elapsed = (time - sample.At).TotalSeconds;
        if (index == _samples.Length - 1)
            return sample.Integral + (sample.Value * elapsed);
        var next = _samples[index + 1];
        return sample.Integral + ((next.Integral - sample.Integral) * (elapsed / (next.At - sample.At).TotalSeconds));
    }
}

/// <summary>A step of a load.</summary>
/// <param name="At">When it began.</param>
/// <param name="Value">The load.</param>
/// <param name="Integral">Integral of the load from the first sample to <paramref name="At"/>.</param>
/// <param name="Highest">Highest load until the next sample.</param>
/// <param name="Lowest">Lowest load until the next sample.</param>
public readonly record struct LoadSample(DateTimeOffset At, double Value, double Integral, double Highest, double Lowest);
