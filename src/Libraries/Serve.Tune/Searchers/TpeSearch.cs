using Serve.Tuning.Spaces;

namespace Serve.Tuning.Searchers;

/// <summary>
/// Tree-structured Parzen estimator (J. Bergstra et al., 2011): models the parameters of the best tenth of the results and those of the others, and suggests values that are likely among the
/// former. Supports choices and conditional parameters; each parameter is modelled separately.
/// </summary>
/// <param name="seed">The seed.</param>
/// <param name="startupTrials">The number of random trials at the start.</param>
/// <param name="candidates">The number of values to compare for each parameter.</param>
public sealed class TpeSearch(int seed = 0, int startupTrials = 10, int candidates = 24) : ModelSearcher(seed, startupTrials)
{
    private const int MaxGood = 25;

    private protected override double[]? Propose(string trialId)
    {
        if (Points.Count < StartupTrials)
            return null;
        var goodCount = Math.Min((int)Math.Ceiling(0.1 * Points.Count), MaxGood);
        var order = Enumerable.Range(0, Points.Count).OrderBy(index => Losses[index]).ToArray();
        var isGood = new bool[Points.Count];
        foreach (var index in order.AsSpan(0, goodCount))
            isGood[index] = true;

        var point = new double[Dimensions.Count];
        for (var dimension = 0; dimension < point.Length; dimension++)
        {
            double[] good = [.. Observed(dimension, isGood, true)];
            double[] bad = [.. Observed(dimension, isGood, false)];
            point[dimension] = Dimensions[dimension].Domain is ChoiceDomain choice
                ? BestChoice(good, bad, choice.Values.Count)
                : BestPosition(new ParzenEstimator(good), new ParzenEstimator(bad));
        }

        return point;
    }

    private IEnumerable<double> Observed(int dimension, bool[] isGood, bool wanted) =>
        Points.Where((point, index) => isGood[index] == wanted && !double.IsNaN(point[dimension])).Select(point => point[dimension]);

    private double BestPosition(ParzenEstimator good, ParzenEstimator bad)
    {
        var (best, bestScore) = (0.5, double.NegativeInfinity);
        for (var candidate = 0; candidate < candidates; candidate++)
        {
            var position = good.Sample(Random);
            var score = good.LogDensity(position) - bad.LogDensity(position);
            if (score > bestScore)
                (best, bestScore) = (position, score);
        }

        return best;
    }

    private int BestChoice(double[] good, double[] bad, int count)
    {
        var (goodWeights, badWeights) = (Frequencies(good, count), Frequencies(bad, count));
        var (best, bestScore) = (0, double.NegativeInfinity);
        for (var candidate = 0; candidate < candidates; candidate++)
        {
            var (value, position) = (0, Random.NextDouble() * goodWeights.Sum());
            while (value < count - 1 && (position -= goodWeights[value]) >= 0)
                value++;
            var score = Math.Log(goodWeights[value] / goodWeights.Sum()) - Math.Log(badWeights[value] / badWeights.Sum());
            if (score > bestScore)
                (best, bestScore) = (value, score);
        }

        return best;
    }

    /// <summary>Weight of each value with a prior of one observation spread over all values.</summary>
    private static double[] Frequencies(double[] observed, int count)
    {
        var weights = new double[count];
        Array.Fill(weights, 1.0 / count);
        foreach (var (index, weight) in ParzenEstimator.Weights(observed.Length).Index())
            weights[(int)observed[index]] += weight;
        return weights;
    }
}
