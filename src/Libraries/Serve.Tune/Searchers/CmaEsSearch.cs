using Serve.Tuning.Spaces;

namespace Serve.Tuning.Searchers;

/// <summary>
/// Covariance matrix adaptation evolution strategy (N. Hansen, 2016): a population moves through the unit cube and learns its shape. Suited for many trials of numeric parameters that depend on each
/// other. Choices and conditional parameters are not supported.
/// </summary>
/// <param name="seed">The seed.</param>
/// <param name="initialDeviation">The initial standard deviation, as a part of each range.</param>
public sealed class CmaEsSearch(int seed = 0, double initialDeviation = 1.0 / 6) : ModelSearcher(seed, 1)
{
    private const int MaxDraws = 100;

    private readonly Dictionary<string, double[]> _offspring = [];
    private readonly List<(double Loss, double[] Point)> _generation = [];
    private CovarianceAdaptation? _state;

    private protected override void RequireSupported(SearchSpace space)
    {
        base.RequireSupported(space);
        var unsupported = space.Parameters.Where(parameter => parameter.Condition is not null || parameter.Domain is not (null or ScalarDomain)).Select(parameter => parameter.Path).ToArray();
        if (unsupported.Length > 0)
            throw new ArgumentException($"CmaEsSearch does not support Choice and When, but the space has: {string.Join(", ", unsupported)}. Use TpeSearch.");
        if (!(initialDeviation is > 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(space), FormattableString.Invariant($"The initial deviation must be between 0 and 1, but was {initialDeviation}."));
    }

    private protected override void Initialize() => _state = Dimensions.Count == 0 ? null : new CovarianceAdaptation(Dimensions.Count, initialDeviation);

    private protected override double[]? Propose(string trialId)
    {
        if (_state is not { } state)
            return null;
        var point = state.Sample(Random);

        // Points outside of the cube are drawn again, and clipped if that fails.
        for (var draw = 0; draw < MaxDraws && point.Any(position => position is < 0 or > 1); draw++)
            point = state.Sample(Random);
        point = Array.ConvertAll(point, position => Math.Clamp(position, 0, 1));
        _offspring[trialId] = point;
        return point;
    }

    private protected override void Observe(double[] point, double loss, string trialId)
    {
        if (_state is not { } state)
            return;
        _generation.Add((loss, _offspring.Remove(trialId, out var drawn) ? drawn : point));
        if (_generation.Count < state.PopulationSize)
            return;
        state.Update([.. _generation.OrderBy(member => member.Loss).Select(member => member.Point)]);
        _generation.Clear();
    }
}
