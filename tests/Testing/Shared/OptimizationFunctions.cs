using Serve.Tuning;
using Serve.Tuning.Searchers;
using Serve.Tuning.Spaces;

namespace Serve.Tests;

/// <summary>Test functions of optimization with known optima.</summary>
internal static class OptimizationFunctions
{
    private static readonly double[][] Scales = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]];

    private static readonly double[][] Centers =
    [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];

    private static readonly double[] Heights = [1, 1.2, 3, 3.2];

    public static ParamSpace BraninSpace => new() { ["x"] = Tune.Uniform(-5, 10), ["y"] = Tune.Uniform(0, 15) };

    public static ParamSpace HartmannSpace
    {
        get
        {
            var space = new ParamSpace();
            for (var i = 0; i < 6; i++)
                space[$"x{i}"] = Tune.Uniform(0, 1);
            return space;
        }
    }

    /// <summary>Branin's function less its minimum.</summary>
    public static double Branin(ParamValues point)
    {
        var (x, y) = (point.Get<double>("x"), point.Get<double>("y"));
        var b = y - (5.1 / (4 * Math.PI * Math.PI) * x * x) + (5 / Math.PI * x) - 6;
        return (b * b) + (10 * (1 - (1 / (8 * Math.PI))) * Math.Cos(x)) + 10 - 0.397887;
    }

    /// <summary>Hartmann's function of six dimensions less its minimum.</summary>
    public static double Hartmann(ParamValues point)
    {
        var sum = 0.0;
        for (var i = 0; i < 4; i++)
            sum += Heights[i] * Math.Exp(-Enumerable.Range(0, 6).Sum(j => Scales[i][j] * Math.Pow(point.Get<double>($"x{j}") - Centers[i][j], 2)));
        return 3.32237 - sum;
    }

    /// <summary>Median over seeds of the best value after a number of trials.</summary>
    public static double MedianRegret(Func<int, Searcher> create, ParamSpace space, Func<ParamValues, double> function, int trials, int seeds)
    {
        var regrets = new double[seeds];
        for (var seed = 0; seed < seeds; seed++)
        {
            var study = new Study(space, create(seed));
            for (var number = 0; number < trials; number++)
            {
                var trial = study.Ask()!;
                study.Tell(trial, function(trial.Params));
            }

            regrets[seed] = study.Best.Value!.Value;
        }

        Array.Sort(regrets);
        return regrets[seeds / 2];
    }
}
