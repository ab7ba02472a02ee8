using Serve.Tuning.Spaces;

namespace Serve.Tuning.Schedulers;

/// <summary>
/// HyperBand (L. Li et al., 2018), synchronous: the trials of a bracket run to a common milestone and pause; then the best part continues to the next milestone and the others end. Brackets differ in
/// the number of trials and the first milestone.
/// </summary>
public sealed class HyperBandScheduler : TrialScheduler
{
    private readonly int _maxIterations;
    private readonly int _reductionFactor;
    private readonly List<Bracket> _brackets = [];
    private readonly Dictionary<string, Bracket> _bracketOfTrial = [];
    private int _bracketNumber;

    /// <summary>Creates the scheduler.</summary>
    /// <param name="maxIterations">The iterations of the best trials.</param>
    /// <param name="reductionFactor">The inverse of the part that continues.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public HyperBandScheduler(int maxIterations = 81, int reductionFactor = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxIterations, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(reductionFactor, 2);
        (_maxIterations, _reductionFactor) = (maxIterations, reductionFactor);
    }

    /// <summary>Number of the first milestone's divisions by the reduction factor that leave at least one iteration.</summary>
    private int MaxHalvings
    {
        get
        {
            var halvings = 0;
            for (var iterations = _maxIterations / _reductionFactor; iterations >= 1; iterations /= _reductionFactor)
                halvings++;
            return halvings;
        }
    }

    /// <inheritdoc />
    public override void Add(string trialId, ParamValues parameters)
    {
        if (_brackets.Count == 0 || _brackets[^1].IsFull)
        {
            // The most aggressive bracket first, then the next ones in a cycle.
            var halvings = MaxHalvings - (_bracketNumber++ % (MaxHalvings + 1));
            var size = (int)Math.Ceiling((MaxHalvings + 1.0) / (halvings + 1) * Math.Pow(_reductionFactor, halvings));
            _brackets.Add(new Bracket(size, Math.Max(1, _maxIterations / (int)Math.Pow(_reductionFactor, halvings))));
        }

        _brackets[^1].Add(trialId);
        _bracketOfTrial[trialId] = _brackets[^1];
    }

    /// <inheritdoc />
    public override TrialDecision Decide(string trialId, int iteration, double loss)
    {
        if (!_bracketOfTrial.TryGetValue(trialId, out var bracket))
        {
            Add(trialId, ParamValues.Empty);
            bracket = _bracketOfTrial[trialId];
        }

        if (iteration >= _maxIterations)
        {
            var consequences = Complete(trialId);
            return new(TrialAction.Stop, consequences);
        }

        if (iteration < bracket.Milestone)
            return TrialDecision.Continue;
        bracket.Pause(trialId, Worst(loss));
        var actions = bracket.Promote(_reductionFactor, _maxIterations);
        foreach (var stopped in actions.Stop)
            _bracketOfTrial.Remove(stopped);

        // The trial that completes a rung learns its own fate from the decision.
        var (resumes, stops) = (actions.Resume.Contains(trialId), actions.Stop.Contains(trialId));
        var others = new PausedTrialActions([.. actions.Resume.Where(other => other != trialId)], [.. actions.Stop.Where(other => other != trialId)]);
        return new(resumes ? TrialAction.Continue : stops ? TrialAction.Stop : TrialAction.Pause, resumes || stops ? others : PausedTrialActions.None);
    }

    /// <inheritdoc />
    public override PausedTrialActions Complete(string trialId)
    {
        if (!_bracketOfTrial.Remove(trialId, out var bracket))
            return PausedTrialActions.None;
        bracket.Remove(trialId);
        var actions = bracket.Promote(_reductionFactor, _maxIterations);
        foreach (var stopped in actions.Stop)
            _bracketOfTrial.Remove(stopped);
        return actions;
    }

    /// <inheritdoc />
    public override PausedTrialActions CloseTrials()
    {
        List<string> resumed = [];
        List<string> stopped = [];
        foreach (var bracket in _brackets)
        {
            bracket.Close();
            var actions = bracket.Promote(_reductionFactor, _maxIterations);
            resumed.AddRange(actions.Resume);
            stopped.AddRange(actions.Stop);
        }

        foreach (var trialId in stopped)
            _bracketOfTrial.Remove(trialId);
        return new(resumed, stopped);
    }

    /// <summary>Trials that run to common milestones.</summary>
    private sealed class Bracket(int size, int firstMilestone)
    {
        private readonly HashSet<string> _running = [];
        private readonly Dictionary<string, double> _paused = [];
        private int _added;
        private bool _isClosed;

        public int Milestone { get; private set; } = firstMilestone;

        public bool IsFull => _isClosed || _added >= size;

        public void Add(string trialId)
        {
            _added++;
            _running.Add(trialId);
        }

        public void Pause(string trialId, double loss)
        {
            _running.Remove(trialId);
            _paused[trialId] = loss;
        }

        public void Remove(string trialId)
        {
            _running.Remove(trialId);
            _paused.Remove(trialId);
        }

        public void Close() => _isClosed = true;

        /// <summary>Starts the next rung if all trials have reached the milestone.</summary>
        public PausedTrialActions Promote(int reductionFactor, int maxIterations)
        {
            if (!IsFull || _running.Count > 0 || _paused.Count == 0)
                return PausedTrialActions.None;
            string[] ranked = [.. _paused.OrderBy(trial => trial.Value).ThenBy(trial => trial.Key, StringComparer.Ordinal).Select(trial => trial.Key)];
            var kept = Math.Max(1, ranked.Length / reductionFactor);
            Milestone = Math.Min(Milestone * reductionFactor, maxIterations);
            _paused.Clear();
            _running.UnionWith(ranked[..kept]);
            return new(ranked[..kept], ranked[kept..]);
        }
    }
}
