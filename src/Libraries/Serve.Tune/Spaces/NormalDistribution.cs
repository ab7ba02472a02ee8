namespace Serve.Tuning.Spaces;

/// <summary>The standard normal distribution.</summary>
internal static class NormalDistribution
{
    private const double InverseSqrtTwoPi = 0.3989422804014327;

    public static double Density(double x) => InverseSqrtTwoPi * Math.Exp(-0.5 * x * x);

    /// <summary>Cumulative probability; Abramowitz and Stegun 26.2.17, error below 1e-7.</summary>
    public static double Cumulative(double x)
    {
        var t = 1 / (1 + (0.2316419 * Math.Abs(x)));
        var tail = Density(x) * t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return x >= 0 ? 1 - tail : tail;
    }

    /// <summary>Position with a cumulative probability, by bisection.</summary>
    public static double Quantile(double probability)
    {
        var (low, high) = (-9.0, 9.0);
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            if (Cumulative(middle) < probability)
                low = middle;
            else
                high = middle;
        }

        return (low + high) / 2;
    }

    public static double Next(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
