using System.Text.Json;

namespace Serve.Experiments;

/// <summary>State of a trial.</summary>
public enum TrialState
{
    /// <summary>Waiting for resources.</summary>
    Pending,

    /// <summary>Running.</summary>
    Running,

    /// <summary>Interrupted by the scheduler with a checkpoint; continues later.</summary>
    Paused,

    /// <summary>Finished, by itself or by a stopper or scheduler.</summary>
    Terminated,

    /// <summary>Failed after all retries.</summary>
    Error,
}

/// <summary>An entry of the journal. The state of an experiment is the sequence of its events and nothing else.</summary>
public abstract record ExperimentEvent
{
    private protected ExperimentEvent()
    {
    }
}

/// <summary>The experiment was created.</summary>
/// <param name="Name">The name of the experiment.</param>
/// <param name="Time">The time of the creation.</param>
/// <param name="Settings">Settings that a resumed run must share, for example the keys of the search space; null if there are none.</param>
public sealed record ExperimentCreated(string Name, DateTimeOffset Time, JsonElement? Settings = null) : ExperimentEvent;

/// <summary>A trial was added.</summary>
/// <param name="TrialId">The id of the trial, which is the name of its folder.</param>
/// <param name="Config">The parameters of the trial.</param>
public sealed record TrialAdded(string TrialId, JsonElement Config) : ExperimentEvent;

/// <summary>A trial changed its state.</summary>
/// <param name="TrialId">The id of the trial.</param>
/// <param name="State">The new state.</param>
/// <param name="Error">The cause of a failure.</param>
public sealed record TrialStateChanged(string TrialId, TrialState State, string? Error = null) : ExperimentEvent;

/// <summary>A trial reported metrics.</summary>
/// <param name="TrialId">The id of the trial.</param>
/// <param name="Iteration">The number of the report, from 1.</param>
/// <param name="Seconds">The running time of the trial so far.</param>
/// <param name="Metrics">The metrics.</param>
public sealed record TrialReported(string TrialId, int Iteration, double Seconds, MetricValues Metrics) : ExperimentEvent;

/// <summary>A checkpoint was stored completely. A checkpoint folder without this event is ignored and deleted.</summary>
/// <param name="TrialId">The id of the trial.</param>
/// <param name="Number">The number of the checkpoint in the trial, from 0.</param>
/// <param name="Iteration">The report that it belongs to.</param>
/// <param name="Score">The value of the score attribute; null without one.</param>
public sealed record CheckpointStored(string TrialId, int Number, int Iteration, double? Score = null) : ExperimentEvent;

/// <summary>A checkpoint was removed by the retention rules.</summary>
/// <param name="TrialId">The id of the trial.</param>
/// <param name="Number">The number of the checkpoint.</param>
public sealed record CheckpointRemoved(string TrialId, int Number) : ExperimentEvent;
