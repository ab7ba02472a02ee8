using Serve.Tuning.Spaces;

namespace Serve.Tuning.Schedulers;

/// <summary>Decides from reports which trials continue. Pure: no clock, no file, no cluster. Not thread-safe; an instance serves one run.</summary>
public abstract class TrialScheduler
{
    private protected TrialScheduler()
    {
    }

    /// <summary>Adds a trial.</summary>
    /// <param name="trialId">The id of the trial.</param>
    /// <param name="parameters">Its parameters.</param>
    public virtual void Add(string trialId, ParamValues parameters)
    {
    }

    /// <summary>No more trials will be added, so that no trial needs to wait for others that do not exist.</summary>
    /// <returns>Consequences for paused trials.</returns>
    public virtual PausedTrialActions CloseTrials() => PausedTrialActions.None;

    /// <summary>Decides on a report.</summary>
    /// <param name="trialId">The id of the trial.</param>
    /// <param name="iteration">The number of the report, from 1.</param>
    /// <param name="loss">The objective, lower is better; NaN counts as the worst.</param>
    public abstract TrialDecision Decide(string trialId, int iteration, double loss);

    /// <summary>Removes a trial that ended by itself or failed.</summary>
    /// <returns>Consequences for paused trials.</returns>
    public virtual PausedTrialActions Complete(string trialId) => PausedTrialActions.None;

    private protected static double Worst(double loss) => double.IsNaN(loss) ? double.PositiveInfinity : loss;
}

/// <summary>What happens to the trial that reported.</summary>
public enum TrialAction
{
    /// <summary>It continues.</summary>
    Continue,

    /// <summary>It stops; its result counts.</summary>
    Stop,

    /// <summary>It stores a checkpoint and waits.</summary>
    Pause,

    /// <summary>It restarts from the checkpoint of a better trial with other parameters.</summary>
    Exploit,
}

/// <summary>A decision on a report.</summary>
/// <param name="Action">What happens to the trial that reported.</param>
/// <param name="Paused">Consequences for paused trials.</param>
/// <param name="Source">The trial whose checkpoint is copied by <see cref="TrialAction.Exploit"/>.</param>
/// <param name="Params">The new parameters for <see cref="TrialAction.Exploit"/>.</param>
public sealed record TrialDecision(TrialAction Action, PausedTrialActions Paused, string? Source = null, ParamValues? Params = null)
{
    internal static TrialDecision Continue { get; } = new(TrialAction.Continue, PausedTrialActions.None);

    internal static TrialDecision Stop { get; } = new(TrialAction.Stop, PausedTrialActions.None);
}

/// <summary>Consequences for paused trials.</summary>
/// <param name="Resume">Trials that continue from their checkpoints.</param>
/// <param name="Stop">Trials that end.</param>
public sealed record PausedTrialActions(IReadOnlyList<string> Resume, IReadOnlyList<string> Stop)
{
    internal static PausedTrialActions None { get; } = new([], []);
}

/// <summary>Runs all trials to their end.</summary>
public sealed class FifoScheduler : TrialScheduler
{
    /// <inheritdoc />
    public override TrialDecision Decide(string trialId, int iteration, double loss) => TrialDecision.Continue;
}

/// <summary>Stops trials whose best result so far is worse than the median of the other trials' running averages at the same iteration (Google Vizier).</summary>
/// <param name="gracePeriod">The iterations before which no trial stops.</param>
/// <param name="minSamples">The number of other trials that must have reached the iteration.</param>
public sealed class MedianStoppingScheduler(int gracePeriod = 1, int minSamples = 3) : TrialScheduler
{
    private readonly Dictionary<string, List<(int Iteration, double Loss)>> _reports = [];

    /// <inheritdoc />
    public override TrialDecision Decide(string trialId, int iteration, double loss)
    {
        if (!_reports.TryGetValue(trialId, out var own))
            _reports[trialId] = own = [];
        own.Add((iteration, Worst(loss)));
        if (iteration < gracePeriod)
            return TrialDecision.Continue;
        double[] others = [.. _reports.Where(other => other.Key != trialId && other.Value[^1].Iteration >= iteration)
            .Select(other => other.Value.Where(report => report.Iteration <= iteration).Average(report => report.Loss)).Order()];
        if (others.Length < minSamples)
            return TrialDecision.Continue;
        var median = others.Length % 2 == 1 ? others[others.Length / 2] : (others[(others.Length / 2) - 1] + others[others.Length / 2]) / 2;
        return own.Min(report => report.Loss) > median ? TrialDecision.Stop : TrialDecision.Continue;
    }
}
