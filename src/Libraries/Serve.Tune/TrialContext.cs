using Serve.Experiments.Checkpoints;
using Serve.Tuning.Spaces;

namespace Serve.Tuning;

/// <summary>The trial as its objective sees it. Used by one thread at a time.</summary>
public sealed class TrialContext
{
    private readonly string _metric;
    private readonly Action<object, Action<string>?> _report;

    internal TrialContext(string id, ParamValues parameters, Checkpoint? checkpoint, Action<object, Action<string>?> report, string metric, CancellationToken stop) =>
        (Id, Params, Checkpoint, _report, _metric, Stop) = (id, parameters, checkpoint, report, metric, stop);

    /// <summary>Gets the id, which is the name of the trial's folder.</summary>
    public string Id { get; }

    /// <summary>Gets the parameters.</summary>
    public ParamValues Params { get; }

    /// <summary>Gets the checkpoint to continue from; null at the first start. Continuing trials must read it: their iterations go on from there.</summary>
    public Checkpoint? Checkpoint { get; }

    /// <summary>Gets the token that is canceled when the run is interrupted.</summary>
    public CancellationToken Stop { get; }

    /// <summary>Reads the value of the checkpoint, written by <see cref="Checkpoint.Of{T}"/>; the default value without a checkpoint.</summary>
    public T? Restore<T>() => Checkpoint is { } checkpoint ? checkpoint.Read<T>() : default;

    /// <summary>Reports metrics, and optionally a checkpoint, and lets the scheduler decide.</summary>
    /// <param name="metrics">A dictionary, or an object whose properties are numbers, for example <c>new { loss, accuracy }</c>.</param>
    /// <param name="checkpoint">Writes the files of a checkpoint to the folder that it receives; <see cref="Checkpoint.Of{T}"/> writes a value.</param>
    /// <exception cref="TrialStoppedException">The trial does not continue. Let it pass.</exception>
    /// <exception cref="ArgumentException">A metric is not a number, or the metric to optimize is missing.</exception>
    public void Report(object metrics, Action<string>? checkpoint = null) => _report(metrics, checkpoint);

    /// <summary>Reports a value of the metric to optimize.</summary>
    internal void ReportValue(double value) => Report(new Dictionary<string, double> { [_metric] = value });
}

/// <summary>Ends an objective whose trial does not continue: it was stopped or paused, or it restarts with other parameters.</summary>
public sealed class TrialStoppedException() : OperationCanceledException("The trial was stopped by the tuner. Let this exception pass.");
