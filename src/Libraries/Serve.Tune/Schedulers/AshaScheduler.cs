using Serve.Tuning.Spaces;

namespace Serve.Tuning.Schedulers;

/// <summary>
/// Asynchronous successive halving (L. Li et al., 2020): at each rung (<c>gracePeriod × reductionFactor^k</c> iterations) a trial continues only if it is among the best part of the trials that have reached
/// the rung so far.
/// </summary>
public sealed class AshaScheduler : TrialScheduler
{
    private readonly int _maxIterations;
    private readonly int _gracePeriod;
    private readonly double _reductionFactor;
    private readonly Bracket[] _brackets;
    private readonly Dictionary<string, Bracket> _bracketOfTrial = [];
    private int _added;

    /// <summary>Creates the scheduler.</summary>
    /// <param name="maxIterations">The iterations after which trials stop in any case.</param>
    /// <param name="gracePeriod">The first rung.</param>
    /// <param name="reductionFactor">The inverse of the part that continues.</param>
    /// <param name="brackets">The number of brackets; trials are assigned in turn, and each bracket starts one rung later.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public AshaScheduler(int maxIterations = 100, int gracePeriod = 1, double reductionFactor = 4, int brackets = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(gracePeriod, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxIterations, gracePeriod);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(reductionFactor, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(brackets, 1);
        (_maxIterations, _gracePeriod, _reductionFactor) = (maxIterations, gracePeriod, reductionFactor);
        _brackets = [.. Enumerable.Range(0, brackets).Select(index => new Bracket(Rungs(index)))];
    }

    /// <inheritdoc />
    public override void Add(string trialId, ParamValues parameters) => _bracketOfTrial[trialId] = _brackets[_added++ % _brackets.Length];

    /// <inheritdoc />
    public override TrialDecision Decide(string trialId, int iteration, double loss)
    {
        if (iteration >= _maxIterations)
            return TrialDecision.Stop;
        if (!_bracketOfTrial.TryGetValue(trialId, out var bracket))
        {
            Add(trialId, ParamValues.Empty);
            bracket = _bracketOfTrial[trialId];
        }

        return bracket.Continues(trialId, iteration, Worst(loss), _reductionFactor) ? TrialDecision.Continue : TrialDecision.Stop;
    }

    /// <inheritdoc />
    public override PausedTrialActions Complete(string trialId)
    {
        _bracketOfTrial.Remove(trialId);
        return PausedTrialActions.None;
    }

    private IEnumerable<int> Rungs(int bracket)
    {
        for (var rung = _gracePeriod * Math.Pow(_reductionFactor, bracket); (int)rung < _maxIterations; rung *= _reductionFactor)
            yield return (int)rung;
    }

    /// <summary>Rungs with the results that were recorded at them, the highest first.</summary>
    private sealed class Bracket(IEnumerable<int> rungs)
    {
        private readonly (int Iteration, List<double> Losses, HashSet<string> Trials)[] _rungs = [.. rungs.OrderDescending().Select(rung => (rung, new List<double>(), new HashSet<string>()))];

        public bool Continues(string trialId, int iteration, double loss, double reductionFactor)
        {
            foreach (var (rung, losses, trials) in _rungs)
            {
                if (iteration < rung || trials.Contains(trialId))
                    continue;
                var continues = losses.Count == 0 || loss <= Cutoff(losses, reductionFactor);
                trials.Add(trialId);
                var index = losses.BinarySearch(loss);
                losses.Insert(index < 0 ? ~index : index, loss);
                return continues;
            }

            return true;
        }

        /// <summary>The quantile 1 / reductionFactor of sorted losses, interpolated as numpy does.</summary>
        private static double Cutoff(List<double> losses, double reductionFactor)
        {
            var position = (losses.Count - 1) / reductionFactor;
            var lower = (int)position;
            var upper = Math.Min(lower + 1, losses.Count - 1);
            return position == lower || losses[lower] == losses[upper] ? losses[lower] : losses[lower] + ((losses[upper] - losses[lower]) * (position - lower));
        }
    }
}
