using System.Numerics.Tensors;
using Serve.Tuning.Spaces;

namespace Serve.Tuning.Searchers;

/// <summary>Gaussian process with a Matérn 5/2 kernel and a length for each dimension. Distances of categorical dimensions are 0 or 1.</summary>
internal sealed class GaussianProcess
{
    private const double Jitter = 1e-8;

    private readonly bool[] _isCategorical;
    private readonly int _dimensions;

    /// <summary>Logarithms of the lengths, then of the noise.</summary>
    private double[] _parameters;
    private double[] _inverseLengths = [];
    private IReadOnlyList<double[]> _points = [];
    private double[] _targets = [];
    private double[] _factor = [];
    private double[] _weights = [];

    public GaussianProcess(bool[] isCategorical)
    {
        _isCategorical = isCategorical;
        _dimensions = isCategorical.Length;
        _parameters = [.. Enumerable.Repeat(Math.Log(0.4), _dimensions), Math.Log(1e-4)];
    }

    /// <summary>Fits the process to standardized targets; searches the parameters with the largest posterior, starting from those of the last fit.</summary>
    public void Fit(IReadOnlyList<double[]> points, double[] targets)
    {
        (_points, _targets) = (points, targets);
        var best = Evaluate(_parameters, out _factor, out _weights);
        for (var step = points.Count % 5 == 0 || points.Count < 15 ? 0.8 : 0.2; step > 0.15; step /= 2)
        {
            for (var index = 0; index <= _dimensions; index++)
            {
                foreach (var direction in new[] { -step, step })
                {
                    var changed = (double[])_parameters.Clone();
                    changed[index] += direction;
                    var posterior = Evaluate(changed, out var factor, out var weights);
                    if (posterior <= best)
                        continue;
                    (best, _parameters, _factor, _weights) = (posterior, changed, factor, weights);
                    break;
                }
            }
        }

        SetLengths(_parameters);
    }

    /// <summary>Adds a point with its predicted mean as the target, so that the next suggestion keeps away from it.</summary>
    public void Believe(double[] point)
    {
        var (mean, _) = Predict(point);
        (_points, _targets) = ([.. _points, point], [.. _targets, mean]);
        Evaluate(_parameters, out _factor, out _weights);
    }

    public (double Mean, double Deviation) Predict(double[] point)
    {
        var count = _points.Count;
        var covariances = new double[count];
        for (var i = 0; i < count; i++)
            covariances[i] = Covariance(point, _points[i]);
        var mean = TensorPrimitives.Dot<double>(covariances, _weights);
        var variance = 1.0;
        for (var i = 0; i < count; i++)
        {
            covariances[i] = (covariances[i] - TensorPrimitives.Dot<double>(_factor.AsSpan(i * count, i), covariances.AsSpan(0, i))) / _factor[(i * count) + i];
            variance -= covariances[i] * covariances[i];
        }

        return (mean, Math.Sqrt(Math.Max(variance, 1e-12)));
    }

    /// <summary>Logarithm of the expected improvement below a target, also far in its tail, where the improvement itself underflows.</summary>
    public double LogExpectedImprovement(double[] point, double target)
    {
        var (mean, deviation) = Predict(point);
        var z = (target - mean) / deviation;
        return z < -6
            ? (-z * z / 2) - (2 * Math.Log(-z)) + Math.Log(deviation) - 0.9189385332046727
            : Math.Log(Math.Max(deviation * ((z * NormalDistribution.Cumulative(z)) + NormalDistribution.Density(z)), 1e-300));
    }

    private void SetLengths(double[] parameters)
    {
        _inverseLengths = new double[_dimensions];
        for (var i = 0; i < _dimensions; i++)
            _inverseLengths[i] = Math.Exp(-parameters[i]);
    }

    private double Covariance(double[] first, double[] second)
    {
        var sum = 0.0;
        for (var i = 0; i < _dimensions; i++)
        {
            var difference = (_isCategorical[i] ? (first[i] == second[i] ? 0 : 1) : first[i] - second[i]) * _inverseLengths[i];
            sum += difference * difference;
        }

        var distance = Math.Sqrt(5 * sum);
        return (1 + distance + (5 * sum / 3)) * Math.Exp(-distance);
    }

    /// <summary>Returns the logarithm of the posterior of parameters, the Cholesky factor of the covariance and the weights of the targets.</summary>
    private double Evaluate(double[] parameters, out double[] factor, out double[] weights)
    {
        SetLengths(parameters);
        var count = _points.Count;
        (factor, weights) = (new double[count * count], new double[count]);
        var noise = Math.Exp(parameters[_dimensions]) + Jitter;
        var posterior = 0.0;
        for (var i = 0; i < count; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var rest = (i == j ? 1 + noise : Covariance(_points[i], _points[j])) - TensorPrimitives.Dot<double>(factor.AsSpan(i * count, j), factor.AsSpan(j * count, j));
                if (i == j && rest <= 0)
                    return double.NegativeInfinity;
                factor[(i * count) + j] = i == j ? Math.Sqrt(rest) : rest / factor[(j * count) + j];
            }

            var diagonal = factor[(i * count) + i];
            weights[i] = (_targets[i] - TensorPrimitives.Dot<double>(factor.AsSpan(i * count, i), weights.AsSpan(0, i))) / diagonal;
            posterior -= (0.5 * weights[i] * weights[i]) + Math.Log(diagonal);
        }

        for (var i = count - 1; i >= 0; i--)
        {
            var sum = weights[i];
            for (var k = i + 1; k < count; k++)
                sum -= factor[(k * count) + i] * weights[k];
            weights[i] = sum / factor[(i * count) + i];
        }

        // Priors: lengths around one half of the cube, little noise.
        for (var i = 0; i < _dimensions; i++)
            posterior -= 0.5 * Math.Pow((parameters[i] - Math.Log(0.5)) / 0.8, 2);
        return posterior - (0.5 * Math.Pow((parameters[_dimensions] - Math.Log(1e-4)) / 2, 2));
    }
}
