namespace Serve.Rl.Wrappers;

/// <summary>Running mean and variance of each element of arrays (T. Chan, 1979), with Gymnasium's initial weight.</summary>
internal sealed class RunningMoments
{
    private const double StabilityOffset = 1e-8;

    private readonly double[] _mean;
    private readonly double[] _variance;
    private double _count = 1e-4;

    public RunningMoments(int size)
    {
        _mean = new double[size];
        _variance = new double[size];
        Array.Fill(_variance, 1);
    }

    public void Add(ReadOnlySpan<double> values)
    {
        var total = _count + 1;
        for (var i = 0; i < _mean.Length; i++)
        {
            var delta = values[i] - _mean[i];
            _mean[i] += delta / total;
            _variance[i] = ((_variance[i] * _count) + (delta * delta * _count / total)) / total;
        }

        _count = total;
    }

    public double Centered(int index, double value) => Scaled(index, value - _mean[index]);

    public double Scaled(int index, double value) => value / Math.Sqrt(_variance[index] + StabilityOffset);
}
