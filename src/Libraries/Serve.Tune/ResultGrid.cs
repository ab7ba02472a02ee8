using Serve.Experiments;
using Serve.Tuning.Spaces;

namespace Serve.Tuning;

/// <summary>The result of a trial with its parameters.</summary>
/// <param name="Params">The parameters at the end.</param>
/// <param name="Result">Metrics, reports, checkpoints, folder and error.</param>
public sealed record TunedTrial(ParamValues Params, TrialResult Result);

/// <summary>The results of a run.</summary>
/// <param name="Path">The folder of the experiment.</param>
/// <param name="Metric">The metric that was optimized.</param>
/// <param name="Mode">Whether it was minimized or maximized.</param>
/// <param name="Trials">All trials in the order of their addition.</param>
public sealed record ResultGrid(string Path, string Metric, Mode Mode, IReadOnlyList<TunedTrial> Trials)
{
    /// <summary>Gets the trial whose last report has the best metric; NaN is never the best.</summary>
    /// <exception cref="InvalidOperationException">No trial reported the metric; the message has the first error.</exception>
    public TunedTrial Best
    {
        get
        {
            var valid = Trials.Where(trial => trial.Result.Metrics.TryGetValue(Metric, out var value) && !double.IsNaN(value)).ToArray();
            if (valid.Length == 0)
                throw new InvalidOperationException($"No trial has a value of '{Metric}'. {Trials.Count} trials, first error: {Errors.FirstOrDefault() ?? "none"}.");
            return Mode == Mode.Min ? valid.MinBy(trial => trial.Result.Metrics[Metric])! : valid.MaxBy(trial => trial.Result.Metrics[Metric])!;
        }
    }

    /// <summary>Gets the errors of failed trials.</summary>
    public IEnumerable<string> Errors => Trials.Where(trial => trial.Result.Error is not null).Select(trial => $"{trial.Result.TrialId}: {trial.Result.Error}");
}
