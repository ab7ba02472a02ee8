using System.Globalization;
using System.Text.Json;
using Serve.Experiments.Checkpoints;
using Serve.Experiments.Journaling;
using Serve.Experiments.Loggers;

namespace Serve.Experiments;

/// <summary>
/// An experiment on disk: <c>journal.jsonl</c> and a folder for each trial with <c>params.json</c>, <c>result.json</c>, <c>progress.csv</c>, an event file for TensorBoard, <c>checkpoint_000000</c> and
/// so on, and <c>error.txt</c>. The journal is the only source of truth; all other files can be deleted except checkpoints. Not thread-safe.
/// </summary>
public sealed class Experiment : IAsyncDisposable
{
    private const string TemporaryPrefix = ".tmp-";

    private readonly Journal _journal;
    private readonly CheckpointConfig _checkpointConfig;
    private readonly TimeProvider _timeProvider;
    private readonly Dictionary<string, IReadOnlyList<ResultLogger>> _loggers = [];

    private Experiment(string path, Journal journal, ExperimentState state, CheckpointConfig? checkpointConfig, TimeProvider timeProvider)
    {
        (Path, _journal, State, _timeProvider) = (path, journal, state, timeProvider);
        _checkpointConfig = checkpointConfig ?? new CheckpointConfig();
    }

    /// <summary>Gets the folder.</summary>
    public string Path { get; }

    /// <summary>Gets the name.</summary>
    public string Name => State.Created!.Name;

    /// <summary>Gets the state.</summary>
    public ExperimentState State { get; }

    /// <summary>Gets whether reports are also written to the files of the trial's folder; true by default.</summary>
    public bool WritesResultFiles { get; init; } = true;

    /// <summary>Creates an experiment.</summary>
    /// <param name="run">Name and storage path.</param>
    /// <param name="checkpoints">Retention of checkpoints.</param>
    /// <param name="settings">Settings that a resumed run must share; stored in the journal.</param>
    /// <param name="timeProvider">The clock; the system clock by default.</param>
    /// <param name="writesResultFiles">Whether reports are also written to the files of the trial's folder.</param>
    /// <exception cref="ArgumentException">The name is not a valid folder name.</exception>
    /// <exception cref="IOException">The folder already contains an experiment.</exception>
    public static Experiment Create(RunConfig run, CheckpointConfig? checkpoints = null, JsonElement? settings = null, TimeProvider? timeProvider = null, bool writesResultFiles = true)
    {
        ArgumentNullException.ThrowIfNull(run);
        checkpoints?.Validate();
        var clock = timeProvider ?? TimeProvider.System;
        var now = clock.GetUtcNow();
        var name = run.Name ?? now.ToString("yyyy-MM-dd_HH-mm-ss-fff", CultureInfo.InvariantCulture);
        if (name.Length == 0 || name is "." or ".." || name.AsSpan().IndexOfAny(System.IO.Path.GetInvalidFileNameChars()) >= 0)
            throw new ArgumentException($"Name of an experiment must be a valid folder name, but was '{name}'.", nameof(run));
        var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(run.StoragePath, name));
        var experiment = new Experiment(path, Journal.Create(path), new ExperimentState(), checkpoints, clock) { WritesResultFiles = writesResultFiles };
        experiment.Append(new ExperimentCreated(name, now, settings));
        return experiment;
    }

    /// <summary>Opens an existing experiment to continue it. Checkpoint folders that are not in the journal are deleted.</summary>
    /// <exception cref="FileNotFoundException">The folder contains no experiment.</exception>
    /// <exception cref="FormatException">The journal is damaged.</exception>
    /// <exception cref="IOException">Another run uses the experiment.</exception>
    public static Experiment Open(string path, CheckpointConfig? checkpoints = null, TimeProvider? timeProvider = null, bool writesResultFiles = true)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        checkpoints?.Validate();
        var (journal, events) = Journal.Open(path);
        var experiment = new Experiment(System.IO.Path.GetFullPath(path), journal, ExperimentState.From(events), checkpoints, timeProvider ?? TimeProvider.System) { WritesResultFiles = writesResultFiles };
        if (experiment.State.Created is null)
            experiment.Append(new ExperimentCreated(System.IO.Path.GetFileName(experiment.Path), experiment._timeProvider.GetUtcNow()));
        foreach (var trial in experiment.State.Trials)
            experiment.DeleteUnknownCheckpoints(trial);
        return experiment;
    }

    /// <summary>Adds a trial.</summary>
    public void AddTrial(string trialId, JsonElement config)
    {
        Append(new TrialAdded(trialId, config));
        if (WritesResultFiles)
            Directory.CreateDirectory(TrialPath(trialId));
    }

    /// <summary>Changes the state of a trial.</summary>
    public void ChangeState(string trialId, TrialState state, string? error = null)
    {
        Append(new TrialStateChanged(trialId, state, error));
        if (error is not null)
        {
            Directory.CreateDirectory(TrialPath(trialId));
            File.AppendAllText(System.IO.Path.Combine(TrialPath(trialId), "error.txt"), error + "\n");
        }

        if (State.Trial(trialId).HasEnded && _loggers.Remove(trialId, out var loggers))
        {
            foreach (var logger in loggers)
            {
                logger.End(state == TrialState.Terminated);
                logger.Dispose();
            }
        }
    }

    /// <summary>Adds a report of a trial.</summary>
    public void Report(TrialReported report)
    {
        ArgumentNullException.ThrowIfNull(report);
        Append(report);
        if (!WritesResultFiles)
            return;
        if (!_loggers.TryGetValue(report.TrialId, out var loggers))
            _loggers[report.TrialId] = loggers = ResultLogger.CreateDefault(TrialPath(report.TrialId), State.Trial(report.TrialId).Config, _timeProvider);
        foreach (var logger in loggers)
            logger.Log(report);
    }

    /// <summary>
    /// Stores a checkpoint for the last report of a trial and applies the retention rules. The folder appears under its final name only when it is complete.
    /// </summary>
    /// <param name="trialId">The id of the trial.</param>
    /// <param name="write">Writes the files to the folder that it receives.</param>
    /// <exception cref="IOException">A file could not be written; the trial keeps its earlier checkpoints.</exception>
    public Checkpoint StoreCheckpoint(string trialId, Action<string> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var trial = State.Trial(trialId);
        var number = trial.LastCheckpointNumber + 1;
        var folder = CheckpointPath(trialId, number);
        var temporary = System.IO.Path.Combine(TrialPath(trialId), TemporaryPrefix + System.IO.Path.GetFileName(folder));
        DeleteFolder(temporary);
        Directory.CreateDirectory(temporary);
        try
        {
            write(temporary);
            foreach (var file in Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories))
            {
                using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
                RandomAccess.FlushToDisk(handle);
            }

            DeleteFolder(folder);
            Directory.Move(temporary, folder);
        }
        catch
        {
            DeleteFolder(temporary);
            throw;
        }

        double? score = _checkpointConfig.ScoreAttribute is { } metric && trial.LastReport is { } report ? report.Metrics[metric] : null;
        Append(new CheckpointStored(trialId, number, trial.LastReport?.Iteration ?? 0, score));
        RemoveSurplus();
        return new Checkpoint(folder);
    }

    /// <summary>Returns the last complete checkpoint of a trial; null if there is none.</summary>
    public Checkpoint? LastCheckpoint(string trialId) =>
        State.Trial(trialId).Checkpoints.Reverse().Select(stored => new Checkpoint(CheckpointPath(trialId, stored.Number))).FirstOrDefault(checkpoint => Directory.Exists(checkpoint.Path));

    /// <summary>Returns the result of a trial.</summary>
    public TrialResult ResultOf(string trialId)
    {
        var trial = State.Trial(trialId);
        var best = CheckpointRetention.Best(trial.Checkpoints, _checkpointConfig);
        return new(trialId, TrialPath(trialId), trial.Config, trial.LastReport?.Metrics ?? MetricValues.Empty, trial.Reports, LastCheckpoint(trialId),
            best is null ? null : new Checkpoint(CheckpointPath(trialId, best.Number)), trial.State == TrialState.Error ? trial.Error : null);
    }

    /// <summary>Returns the folder of a trial.</summary>
    public string TrialPath(string trialId) => System.IO.Path.Combine(Path, trialId);

    /// <summary>Waits until all events are on the disk.</summary>
    public Task FlushAsync() => _journal.FlushAsync();

    /// <summary>Closes all files. The experiment can be opened again.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var logger in _loggers.Values.SelectMany(loggers => loggers))
            logger.Dispose();
        _loggers.Clear();
        await _journal.DisposeAsync();
    }

    private void Append(ExperimentEvent change)
    {
        // Applied first: an event that contradicts the state must not reach the journal.
        State.Apply(change);
        _journal.Append(change);
    }

    private void RemoveSurplus()
    {
        foreach (var surplus in CheckpointRetention.Surplus([.. State.Checkpoints], _checkpointConfig))
        {
            Append(new CheckpointRemoved(surplus.TrialId, surplus.Number));
            DeleteFolder(CheckpointPath(surplus.TrialId, surplus.Number));
        }
    }

    private void DeleteUnknownCheckpoints(TrialRecord trial)
    {
        if (!Directory.Exists(TrialPath(trial.Id)))
            return;
        var known = trial.Checkpoints.Select(stored => CheckpointPath(trial.Id, stored.Number)).ToHashSet();
        foreach (var folder in Directory.GetDirectories(TrialPath(trial.Id), "checkpoint_*").Where(folder => !known.Contains(folder)).Concat(Directory.GetDirectories(TrialPath(trial.Id), TemporaryPrefix + "*")))
            DeleteFolder(folder);
    }

    private string CheckpointPath(string trialId, int number) => System.IO.Path.Combine(TrialPath(trialId), FormattableString.Invariant($"checkpoint_{number:000000}"));

    private static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
    }
}
