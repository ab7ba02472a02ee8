using Serve.Tuning.Spaces;

namespace Serve.Tuning.Searchers;

/// <summary>Grid and random search: the grid of all <c>GridSearch</c> parameters is run <paramref name="numSamples"/> times, with the other parameters sampled for each trial.</summary>
/// <param name="seed">The seed.</param>
/// <param name="numSamples">The number of repetitions of the grid; null without limit if there is no grid, once otherwise.</param>
public sealed class BasicVariantSearch(int seed = 0, int? numSamples = null) : Searcher(seed)
{
    private int _next;
    private int _gridSize;

    internal override void Complete(string trialId, double? loss)
    {
    }

    private protected override void RequireSupported(SearchSpace space)
    {
        if (numSamples < 1)
            throw new ArgumentOutOfRangeException(nameof(space), $"The number of samples must be at least 1 or null, but was {numSamples}.");
    }

    private protected override void Begin() =>
        _gridSize = Space.Parameters.Where(parameter => parameter.Domain is GridDomain).Aggregate(1, (size, parameter) => checked(size * ((GridDomain)parameter.Domain!).Values.Count));

    private protected override ParamValues? Choose(string trialId)
    {
        var limit = numSamples ?? (_gridSize > 1 ? 1 : int.MaxValue);
        if (_next / _gridSize >= limit)
            return null;
        var cell = _next++ % _gridSize;
        return Space.Fill(parameter =>
        {
            if (parameter.Domain is not GridDomain grid)
                return SearchSpace.Sample(parameter.Domain!, Random);
            (cell, var index) = Math.DivRem(cell, grid.Values.Count);
            return grid.Values[index];
        });
    }

    private protected override void Register(string trialId, ParamValues point)
    {
    }
}
