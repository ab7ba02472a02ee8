using System.Text.Json;
using Serve.Experiments.Checkpoints;

namespace Serve.Experiments;

/// <summary>State of an experiment: the result of its events in order. Not thread-safe.</summary>
public sealed class ExperimentState
{
    private readonly Dictionary<string, TrialRecord> _trials = [];
    private readonly List<TrialRecord> _order = [];

    /// <summary>Gets the event that created the experiment; null before it.</summary>
    public ExperimentCreated? Created { get; private set; }

    /// <summary>Gets the trials in the order of their addition.</summary>
    public IReadOnlyList<TrialRecord> Trials => _order;

    /// <summary>Gets the stored checkpoints of all trials.</summary>
    public IEnumerable<CheckpointStored> Checkpoints => _order.SelectMany(trial => trial.Checkpoints);

    /// <summary>Creates the state after a sequence of events.</summary>
    public static ExperimentState From(IEnumerable<ExperimentEvent> events)
    {
        ArgumentNullException.ThrowIfNull(events);
        var state = new ExperimentState();
        foreach (var change in events)
            state.Apply(change);
        return state;
    }

    /// <summary>Returns a trial.</summary>
    /// <exception cref="KeyNotFoundException">The trial does not exist.</exception>
    public TrialRecord Trial(string id) => _trials.TryGetValue(id, out var trial) ? trial : throw new KeyNotFoundException($"Trial '{id}' does not exist in experiment '{Created?.Name}'.");

    /// <summary>Applies an event.</summary>
    /// <exception cref="KeyNotFoundException">The event concerns a trial that does not exist.</exception>
    public void Apply(ExperimentEvent change)
    {
        switch (change)
        {
            case ExperimentCreated created:
                Created = created;
                break;
            case TrialAdded added:
                var trial = new TrialRecord(added.TrialId, added.Config);
                if (!_trials.TryAdd(added.TrialId, trial))
                    throw new ArgumentException($"Trial '{added.TrialId}' already exists.", nameof(change));
                _order.Add(trial);
                break;
            case TrialStateChanged state:
                Trial(state.TrialId).Change(state);
                break;
            case TrialReported report:
                Trial(report.TrialId).Add(report);
                break;
            case CheckpointStored stored:
                Trial(stored.TrialId).Add(stored);
                break;
            case CheckpointRemoved removed:
                Trial(removed.TrialId).StoredCheckpoints.RemoveAll(checkpoint => checkpoint.Number == removed.Number);
                break;
        }
    }
}

/// <summary>State of a trial.</summary>
public sealed class TrialRecord
{
    private readonly List<TrialReported> _reports = [];

    internal TrialRecord(string id, JsonElement config) => (Id, Config) = (id, config);

    /// <summary>Gets the id, which is the name of the trial's folder.</summary>
    public string Id { get; }

    /// <summary>Gets the parameters.</summary>
    public JsonElement Config { get; }

    /// <summary>Gets the state.</summary>
    public TrialState State { get; private set; }

    /// <summary>Gets the cause of the last failure.</summary>
    public string? Error { get; private set; }

    /// <summary>Gets all reports in order. A trial that continued from a checkpoint has no reports after the checkpoint's from before.</summary>
    public IReadOnlyList<TrialReported> Reports => _reports;

    /// <summary>Gets the last report; null before the first one.</summary>
    public TrialReported? LastReport => _reports.Count == 0 ? null : _reports[^1];

    /// <summary>Gets the stored checkpoints, oldest first.</summary>
    public IReadOnlyList<CheckpointStored> Checkpoints => StoredCheckpoints;

    /// <summary>Gets whether the trial has ended.</summary>
    public bool HasEnded => State is TrialState.Terminated or TrialState.Error;

    internal List<CheckpointStored> StoredCheckpoints { get; } = [];

    /// <summary>The number of the last checkpoint, removed or not; -1 before the first one. Numbers are not used twice.</summary>
    internal int LastCheckpointNumber { get; private set; } = -1;

    internal void Change(TrialStateChanged change)
    {
        State = change.State;
        Error = change.Error ?? Error;
    }

    internal void Add(CheckpointStored stored)
    {
        StoredCheckpoints.Add(stored);
        LastCheckpointNumber = Math.Max(LastCheckpointNumber, stored.Number);
    }

    internal void Add(TrialReported report)
    {
        // After a restart from a checkpoint, iterations repeat: the new ones replace the old ones.
        while (_reports.Count > 0 && _reports[^1].Iteration >= report.Iteration)
            _reports.RemoveAt(_reports.Count - 1);
        _reports.Add(report);
    }
}

/// <summary>The result of a trial.</summary>
/// <param name="TrialId">The id of the trial.</param>
/// <param name="Path">The folder of the trial.</param>
/// <param name="Config">The parameters.</param>
/// <param name="Metrics">The metrics of the last report; empty without reports.</param>
/// <param name="Reports">All reports in order.</param>
/// <param name="Checkpoint">The last checkpoint; null without checkpoints.</param>
/// <param name="BestCheckpoint">The checkpoint with the best score; the last one without scores.</param>
/// <param name="Error">The cause of a failure; null if the trial succeeded.</param>
public sealed record TrialResult(
    string TrialId, string Path, JsonElement Config, MetricValues Metrics, IReadOnlyList<TrialReported> Reports, Checkpoint? Checkpoint, Checkpoint? BestCheckpoint, string? Error);
