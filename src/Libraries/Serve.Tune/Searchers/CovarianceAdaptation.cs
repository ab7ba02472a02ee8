using Serve.Tuning.Spaces;

namespace Serve.Tuning.Searchers;

/// <summary>State of CMA-ES: mean, step size, covariance and evolution paths, with the default constants of N. Hansen, "The CMA Evolution Strategy: A Tutorial", 2016.</summary>
internal sealed class CovarianceAdaptation
{
    private readonly int _n;
    private readonly double[] _recombination;
    private readonly double _effectiveParents;
    private readonly double _stepLearning;
    private readonly double _stepDamping;
    private readonly double _pathLearning;
    private readonly double _rankOne;
    private readonly double _rankMany;
    private readonly double _expectedNorm;
    private readonly double[] _stepPath;
    private readonly double[] _covariancePath;
    private readonly double[,] _covariance;
    private double[] _mean;
    private double _stepSize;
    private double[,] _axes;
    private double[] _axisLengths;
    private int _generation;

    public CovarianceAdaptation(int dimensions, double initialDeviation)
    {
        var n = (double)dimensions;
        _n = dimensions;
        PopulationSize = 4 + (int)(3 * Math.Log(n));
        double[] weights = [.. Enumerable.Range(1, PopulationSize / 2).Select(rank => Math.Log((PopulationSize + 1) / 2.0) - Math.Log(rank))];
        _recombination = Array.ConvertAll(weights, weight => weight / weights.Sum());
        _effectiveParents = 1 / _recombination.Sum(weight => weight * weight);
        _stepLearning = (_effectiveParents + 2) / (n + _effectiveParents + 5);
        _stepDamping = 1 + (2 * Math.Max(0, Math.Sqrt((_effectiveParents - 1) / (n + 1)) - 1)) + _stepLearning;
        _pathLearning = (4 + (_effectiveParents / n)) / (n + 4 + (2 * _effectiveParents / n));
        _rankOne = 2 / (((n + 1.3) * (n + 1.3)) + _effectiveParents);
        _rankMany = Math.Min(1 - _rankOne, 2 * (_effectiveParents - 2 + (1 / _effectiveParents)) / (((n + 2) * (n + 2)) + _effectiveParents));
        _expectedNorm = Math.Sqrt(n) * (1 - (1 / (4 * n)) + (1 / (21 * n * n)));
        (_stepPath, _covariancePath) = (new double[dimensions], new double[dimensions]);
        (_covariance, _axes) = (new double[dimensions, dimensions], new double[dimensions, dimensions]);
        (_mean, _axisLengths) = (new double[dimensions], new double[dimensions]);
        Array.Fill(_mean, 0.5);
        Array.Fill(_axisLengths, 1);
        for (var i = 0; i < dimensions; i++)
            (_covariance[i, i], _axes[i, i]) = (1, 1);
        _stepSize = initialDeviation;
    }

    public int PopulationSize { get; }

    public double[] Sample(Random random)
    {
        var steps = new double[_n];
        for (var i = 0; i < _n; i++)
            steps[i] = _axisLengths[i] * NormalDistribution.Next(random);
        var point = new double[_n];
        for (var i = 0; i < _n; i++)
        {
            var sum = 0.0;
            for (var j = 0; j < _n; j++)
                sum += _axes[i, j] * steps[j];
            point[i] = _mean[i] + (_stepSize * sum);
        }

        return point;
    }

    /// <summary>Moves to the next generation.</summary>
    /// <param name="ranked">The points of the generation, the best first.</param>
    public void Update(double[][] ranked)
    {
        _generation++;
        double[][] steps = [.. ranked.Take(_recombination.Length).Select(point => point.Zip(_mean, (position, center) => (position - center) / _stepSize).ToArray())];
        var step = new double[_n];
        for (var i = 0; i < _n; i++)
            step[i] = steps.Zip(_recombination, (parent, weight) => weight * parent[i]).Sum();
        _mean = [.. _mean.Zip(step, (center, change) => center + (_stepSize * change))];

        var whitened = Whitened(step);
        var stepGain = Math.Sqrt(_stepLearning * (2 - _stepLearning) * _effectiveParents);
        for (var i = 0; i < _n; i++)
            _stepPath[i] = ((1 - _stepLearning) * _stepPath[i]) + (stepGain * whitened[i]);
        var norm = Math.Sqrt(_stepPath.Sum(value => value * value));
        var isLong = norm / Math.Sqrt(1 - Math.Pow(1 - _stepLearning, 2 * _generation)) >= (1.4 + (2.0 / (_n + 1))) * _expectedNorm;
        var pathGain = isLong ? 0 : Math.Sqrt(_pathLearning * (2 - _pathLearning) * _effectiveParents);
        for (var i = 0; i < _n; i++)
            _covariancePath[i] = ((1 - _pathLearning) * _covariancePath[i]) + (pathGain * step[i]);

        var kept = 1 - _rankOne - _rankMany + (isLong ? _rankOne * _pathLearning * (2 - _pathLearning) : 0);
        for (var i = 0; i < _n; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                var parents = steps.Zip(_recombination, (parent, weight) => weight * parent[i] * parent[j]).Sum();
                _covariance[i, j] = _covariance[j, i] = (kept * _covariance[i, j]) + (_rankOne * _covariancePath[i] * _covariancePath[j]) + (_rankMany * parents);
            }
        }

        _stepSize = Math.Clamp(_stepSize * Math.Exp(_stepLearning / _stepDamping * ((norm / _expectedNorm) - 1)), 1e-12, 1);
        (_axes, _axisLengths) = Decompose();
    }

    /// <summary>The step in the coordinates in which the covariance is the identity.</summary>
    private double[] Whitened(double[] step)
    {
        var projected = new double[_n];
        for (var j = 0; j < _n; j++)
        {
            for (var i = 0; i < _n; i++)
                projected[j] += _axes[i, j] * step[i];
            projected[j] /= _axisLengths[j];
        }

        var whitened = new double[_n];
        for (var i = 0; i < _n; i++)
        {
            for (var j = 0; j < _n; j++)
                whitened[i] += _axes[i, j] * projected[j];
        }

        return whitened;
    }

    /// <summary>Eigenvectors (columns) and roots of the eigenvalues of the covariance, by Jacobi rotations.</summary>
    private (double[,] Axes, double[] Lengths) Decompose()
    {
        var matrix = (double[,])_covariance.Clone();
        var vectors = new double[_n, _n];
        for (var i = 0; i < _n; i++)
            vectors[i, i] = 1;
        for (var sweep = 0; sweep < 30; sweep++)
        {
            var isDiagonal = true;
            for (var p = 0; p < _n - 1; p++)
            {
                for (var q = p + 1; q < _n; q++)
                {
                    if (Math.Abs(matrix[p, q]) < 1e-15 * Math.Sqrt(Math.Abs(matrix[p, p] * matrix[q, q])))
                        continue;
                    isDiagonal = false;
                    Rotate(matrix, vectors, p, q);
                }
            }

            if (isDiagonal)
                break;
        }

        return (vectors, [.. Enumerable.Range(0, _n).Select(i => Math.Sqrt(Math.Max(matrix[i, i], 1e-20)))]);
    }

    private void Rotate(double[,] matrix, double[,] vectors, int p, int q)
    {
        var theta = (matrix[q, q] - matrix[p, p]) / (2 * matrix[p, q]);
        var tangent = (theta >= 0 ? 1 : -1) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
        var cos = 1 / Math.Sqrt((tangent * tangent) + 1);
        var sin = tangent * cos;
        for (var k = 0; k < _n; k++)
            (matrix[k, p], matrix[k, q]) = ((cos * matrix[k, p]) - (sin * matrix[k, q]), (sin * matrix[k, p]) + (cos * matrix[k, q]));
        for (var k = 0; k < _n; k++)
            (matrix[p, k], matrix[q, k]) = ((cos * matrix[p, k]) - (sin * matrix[q, k]), (sin * matrix[p, k]) + (cos * matrix[q, k]));
        for (var k = 0; k < _n; k++)
            (vectors[k, p], vectors[k, q]) = ((cos * vectors[k, p]) - (sin * vectors[k, q]), (sin * vectors[k, p]) + (cos * vectors[k, q]));
    }
}
