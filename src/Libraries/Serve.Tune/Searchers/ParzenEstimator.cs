using Serve.Tuning.Spaces;

namespace Serve.Tuning.Searchers;

/// <summary>Density on the interval from 0 to 1: a mixture of truncated normal distributions, one at each observation and one wide prior.</summary>
internal sealed class ParzenEstimator
{
    private const int UnweightedObservations = 25;

    private readonly double[] _means;
    private readonly double[] _deviations;
    private readonly double[] _weights;

    /// <summary>Weights divided by the mass within the interval and by the deviations.</summary>
    private readonly double[] _scales;

    public ParzenEstimator(ReadOnlySpan<double> observations)
    {
        var count = observations.Length + 1;
        _means = [.. observations, 0.5];
        _weights = [.. Weights(observations.Length), 1];
        _deviations = Deviations(_means);
        _scales = new double[count];
        var total = _weights.Sum();
        for (var i = 0; i < count; i++)
        {
            _weights[i] /= total;
            var mass = NormalDistribution.Cumulative((1 - _means[i]) / _deviations[i]) - NormalDistribution.Cumulative(-_means[i] / _deviations[i]);
            _scales[i] = _weights[i] / (mass * _deviations[i]);
        }
    }

    /// <summary>Weights of observations in the order of their arrival: the oldest of more than 25 count less.</summary>
    public static double[] Weights(int count)
    {
        var weights = new double[count];
        var ramp = count - UnweightedObservations;
        for (var i = 0; i < count; i++)
            weights[i] = i >= ramp ? 1 : ramp == 1 ? 1.0 / count : (1.0 / count) + ((1 - (1.0 / count)) * i / (ramp - 1));
        return weights;
    }

    public double Sample(Random random)
    {
        var (component, position) = (0, random.NextDouble());
        while (component < _weights.Length - 1 && (position -= _weights[component]) >= 0)
            component++;
        while (true)
        {
            var value = _means[component] + (_deviations[component] * NormalDistribution.Next(random));
            if (value is >= 0 and <= 1)
                return value;
        }
    }

    public double LogDensity(double position)
    {
        var sum = 0.0;
        for (var i = 0; i < _means.Length; i++)
        {
            var distance = (position - _means[i]) / _deviations[i];
            sum += _scales[i] * Math.Exp(-0.5 * distance * distance);
        }

        return Math.Log(sum + 1e-300);
    }

    /// <summary>The larger distance to a neighbor; outer observations have one neighbor only. The prior, which is last, has deviation 1.</summary>
    private static double[] Deviations(double[] means)
    {
        var order = Enumerable.Range(0, means.Length).ToArray();
        Array.Sort([.. means], order);
        var deviations = new double[means.Length];
        var smallest = 1.0 / Math.Min(100, 1 + means.Length);
        for (var i = 0; i < order.Length; i++)
        {
            var left = i > 0 ? means[order[i]] - means[order[i - 1]] : 0;
            var right = i < order.Length - 1 ? means[order[i + 1]] - means[order[i]] : 0;
            deviations[order[i]] = Math.Clamp(Math.Max(left, right), smallest, 1);
        }

        deviations[^1] = 1;
        return deviations;
    }
}
