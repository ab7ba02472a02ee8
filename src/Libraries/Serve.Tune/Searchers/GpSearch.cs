using Serve.Tuning.Spaces;

namespace Serve.Tuning.Searchers;

/// <summary>
/// Bayesian optimization with a Gaussian process and expected improvement. The best choice for up to about 20 parameters and 300 trials; a suggestion takes some milliseconds, growing with the square
/// of the results. Running trials count with their predicted results (Kriging believer).
/// </summary>
/// <param name="seed">The seed.</param>
/// <param name="startupTrials">The number of random trials at the start.</param>
public sealed class GpSearch(int seed = 0, int startupTrials = 10) : ModelSearcher(seed, startupTrials)
{
    private const int RandomCandidates = 200;
    private const int LocalCandidates = 100;
    private const int RefinedCandidates = 4;
    private const int RefinementSteps = 60;

    private GaussianProcess? _process;

    private protected override void Initialize() => _process = new GaussianProcess([.. Dimensions.Select(parameter => parameter.Domain is ChoiceDomain)]);

    private protected override double[]? Propose(string trialId)
    {
        if (Points.Count < StartupTrials)
            return null;
        var process = _process!;
        double[][] points = [.. Points.Select(Completed)];
        var targets = Standardized(Losses);
        process.Fit(points, targets);
        foreach (var pending in PendingPoints)
            process.Believe(Completed(pending));

        var incumbent = targets.Min();
        var best = Enumerable.Range(0, points.Length).OrderBy(index => targets[index]).Take(5).Select(index => points[index]).ToArray();
        List<(double Score, double[] Point)> candidates = [];
        for (var number = 0; number < RandomCandidates + LocalCandidates; number++)
        {
            var candidate = number < RandomCandidates ? RandomPoint() : Neighbor(best[number % best.Length], 0.1);
            candidates.Add((process.LogExpectedImprovement(candidate, incumbent), candidate));
        }

        return candidates.OrderByDescending(candidate => candidate.Score).Take(RefinedCandidates).Select(candidate => Refined(process, candidate, incumbent)).MaxBy(candidate => candidate.Score).Point;
    }

    /// <summary>Climbs by random steps, which shrink after each failure.</summary>
    private (double Score, double[] Point) Refined(GaussianProcess process, (double Score, double[] Point) candidate, double incumbent)
    {
        var scale = 0.1;
        for (var step = 0; step < RefinementSteps; step++)
        {
            var neighbor = Neighbor(candidate.Point, scale);
            var score = process.LogExpectedImprovement(neighbor, incumbent);
            if (score > candidate.Score)
                candidate = (score, neighbor);
            else
                scale *= 0.93;
        }

        return candidate;
    }

    private double[] RandomPoint() => [.. Dimensions.Select(parameter => parameter.Domain is ChoiceDomain choice ? Random.Next(choice.Values.Count) : Random.NextDouble())];

    private double[] Neighbor(double[] point, double scale) => [.. point.Select((position, index) => Dimensions[index].Domain is ChoiceDomain choice
        ? Random.NextDouble() < 0.1 ? Random.Next(choice.Values.Count) : position
        : Math.Clamp(position + ((Random.NextDouble() + Random.NextDouble() - 1) * scale), 0, 1))];

    /// <summary>Parameters that do not exist have the middle of their range.</summary>
    private double[] Completed(double[] point) => [.. point.Select((position, index) => !double.IsNaN(position) ? position : Dimensions[index].Domain is ChoiceDomain ? 0 : 0.5)];

    /// <summary>Losses with mean 0 and deviation 1; infinite ones count as the worst finite one.</summary>
    private static double[] Standardized(List<double> losses)
    {
        var worst = losses.Where(double.IsFinite).DefaultIfEmpty(0).Max();
        double[] finite = [.. losses.Select(loss => double.IsFinite(loss) ? loss : worst)];
        var mean = finite.Average();
        var deviation = Math.Sqrt(finite.Average(loss => (loss - mean) * (loss - mean))) + 1e-12;
        return Array.ConvertAll(finite, loss => (loss - mean) / deviation);
    }
}
