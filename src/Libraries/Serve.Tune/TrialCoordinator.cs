using System.Globalization;
using System.Text.Json;
using Serve.Experiments;
using Serve.Experiments.Checkpoints;
using Serve.Tuning.Schedulers;
using Serve.Tuning.Searchers;
using Serve.Tuning.Spaces;

namespace Serve.Tuning;

/// <summary>
/// Runs the trials of one experiment: starts them, records their reports and applies the decisions of searcher, scheduler and stoppers. All state is protected by one lock; a report is decided on the
/// thread of its trial.
/// </summary>
internal sealed class TrialCoordinator : IDisposable
{
    private readonly Tuner _tuner;
    private readonly Searcher _searcher;
    private readonly TrialScheduler _scheduler;
    private readonly System.Threading.Lock _lock = new();
    private readonly Dictionary<string, TrialRun> _trials = [];
    private readonly Queue<TrialRun> _waiting = new();
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _interruption = new();
    private Experiment? _experiment;
    private Cluster? _cluster;
    private Func<TrialContext, Task>? _objective;
    private int _maxConcurrent;
    private long _started;
    private int _running;
    private bool _isExhausted;
    private bool _isStopping;
    private bool _keepsUnfinished;
    private Exception? _failure;

    public TrialCoordinator(Tuner tuner, SearchSpace space)
    {
        _tuner = tuner;
        _searcher = tuner.Tune.Search ?? new BasicVariantSearch(numSamples: tuner.Tune.NumSamples == -1 ? int.MaxValue : tuner.Tune.NumSamples);
        _searcher.Start(tuner.Space);
        _scheduler = tuner.Tune.Scheduler ?? new FifoScheduler();
        Settings = JsonSerializer.SerializeToElement(new { parameters = space.Parameters.Select(parameter => parameter.Path).ToArray(), metric = tuner.Tune.Metric, mode = tuner.Tune.Mode.ToString() });
    }

    /// <summary>Settings that a restored run must share.</summary>
    public JsonElement Settings { get; }

    /// <summary>Number of trials after which no new ones are added; grid and random search know their own.</summary>
    private int TrialLimit => _tuner.Tune.Search is null || _tuner.Tune.NumSamples == -1 ? int.MaxValue : _tuner.Tune.NumSamples;

    private Experiment Experiment => _experiment!;

    /// <summary>Repeats all decisions of an interrupted run, so that the same ones follow.</summary>
    public void Replay(Experiment experiment, bool resumeErrored, bool restartErrored)
    {
        RequireSameSettings(experiment);
        foreach (var change in experiment.ReplayedEvents)
        {
            switch (change)
            {
                case TrialAdded added:
                    var suggested = _searcher.Suggest(added.TrialId);
                    if (suggested is null || !JsonElement.DeepEquals(suggested.ToJson(), added.Config))
                        throw new ArgumentException($"Trial {added.TrialId} of '{experiment.Path}' has the parameters {added.Config}, but the search suggests {suggested}. Use the same space, search algorithm and seed.");
                    _trials[added.TrialId] = new TrialRun(added.TrialId, suggested);
                    _scheduler.Add(added.TrialId, suggested);
                    break;
                case TrialReported report:
                    ReplayReport(report);
                    break;
                case TrialStateChanged { State: TrialState.Paused } paused:
                    _trials[paused.TrialId].IsPaused = true;
                    break;
                case TrialStateChanged { State: TrialState.Terminated or TrialState.Error } ended:
                    _scheduler.Complete(ended.TrialId);
                    _searcher.Complete(ended.TrialId, FinalLoss(experiment, ended.TrialId, ended.State));
                    break;
            }
        }

        foreach (var trial in experiment.State.Trials.Where(trial => !trial.HasEnded || (trial.State == TrialState.Error && (resumeErrored || restartErrored))))
        {
            var run = _trials[trial.Id];
            run.StartsAnew = trial.State == TrialState.Error && restartErrored;
            if (run is { IsPaused: false, IsStoppedWhilePaused: false })
                _waiting.Enqueue(run);
        }
    }

    private void ReplayReport(TrialReported report)
    {
        var trial = _trials[report.TrialId];
        trial.Seconds = report.Seconds;
        var decision = _scheduler.Decide(report.TrialId, report.Iteration, LossOf(report.Metrics));
        trial.Params = decision.Params ?? trial.Params;
        foreach (var id in decision.Paused.Resume)
            _trials[id].IsPaused = false;
        foreach (var id in decision.Paused.Stop)
            _trials[id].IsStoppedWhilePaused = true;
    }

    /// <summary>Runs until no trial is left.</summary>
    public async Task<ResultGrid> RunAsync(Experiment experiment, Cluster cluster, Func<TrialContext, Task> objective, CancellationToken cancellationToken)
    {
        (_experiment, _cluster, _objective) = (experiment, cluster, objective);
        var cpus = _tuner.Resources.NumCpus;
        _maxConcurrent = _tuner.Tune.MaxConcurrentTrials ?? (int)Math.Clamp(cpus > 0 ? cluster.Resources.GetValueOrDefault("CPU") / cpus : 1, 1, 10_000);
        _started = _tuner.TimeProvider.GetTimestamp();
        _tuner.Run.Stop?.Start();
        foreach (var trial in _trials.Values.Where(trial => trial.IsStoppedWhilePaused && !experiment.State.Trial(trial.Id).HasEnded).ToArray())
            Terminate(trial);
        await using (cancellationToken.Register(Interrupt))
        {
            Advance();
            await _finished.Task;
        }

        await experiment.FlushAsync();
        if (cancellationToken.IsCancellationRequested && (!_isExhausted || experiment.State.Trials.Any(trial => !trial.HasEnded)))
            throw new OperationCanceledException($"The run was interrupted. Continue it with Restore(\"{experiment.Path}\").", cancellationToken);
        return new ResultGrid(experiment.Path, _tuner.Tune.Metric, _tuner.Tune.Mode, [.. experiment.State.Trials.Select(trial => new TunedTrial(_trials[trial.Id].Params, experiment.ResultOf(trial.Id)))]);
    }

    public void Dispose() => _interruption.Dispose();

    /// <summary>Ends the run; trials that have not ended stay unfinished in the journal, so that a restored run continues them.</summary>
    private void Interrupt()
    {
        lock (_lock)
            (_isStopping, _keepsUnfinished) = (true, true);

        // Callbacks of user code must not run under the lock of Finish.
        _ = _interruption.CancelAsync();
    }

    /// <summary>Starts trials while there is capacity; ends the run if nothing is left.</summary>
    private void Advance()
    {
        while (true)
        {
            TrialRun? next;
            lock (_lock)
            {
                try
                {
                    CheckTimeBudget();
                    next = _isStopping || _failure is not null || _running >= _maxConcurrent ? null : Next();
                    if (next is not null)
                        Begin(next);
                }
                catch (Exception failure)
                {
                    _failure ??= failure;
                    next = null;
                }

                if (next is null)
                {
                    if (_running == 0)
                        End();
                    return;
                }
            }

            try
            {
                Launch(next);
            }
            catch (Exception failure)
            {
                lock (_lock)
                {
                    _running--;
                    _failure ??= failure;
                }
            }
        }
    }

    private void CheckTimeBudget()
    {
        if (_tuner.Run.Stop?.ShouldStopAll() == true || (_tuner.Tune.TimeBudget is { } budget && _tuner.TimeProvider.GetElapsedTime(_started) >= budget))
            _isStopping = true;
    }

    private TrialRun? Next()
    {
        if (_waiting.TryDequeue(out var waiting))
            return waiting;
        if (!_isExhausted && _trials.Count < TrialLimit)
        {
            var id = _trials.Count.ToString("00000", CultureInfo.InvariantCulture);
            if (_searcher.Suggest(id) is { } point)
            {
                var trial = _trials[id] = new TrialRun(id, point);
                Experiment.AddTrial(id, point.ToJson());
                _scheduler.Add(id, point);
                return trial;
            }
        }

        if (!_isExhausted)
        {
            _isExhausted = true;
            Apply(_scheduler.CloseTrials());
            return _waiting.TryDequeue(out waiting) ? waiting : null;
        }

        return null;
    }

    private void Begin(TrialRun trial)
    {
        _running++;
        var record = Experiment.State.Trial(trial.Id);
        var stored = trial.StartsAnew ? null : record.Checkpoints is [.., var last] ? last : null;
        trial.StartsAnew = false;
        trial.Checkpoint = stored is null ? null : Experiment.LastCheckpoint(trial.Id);
        trial.Iteration = trial.Checkpoint is null ? 0 : stored!.Iteration;
        (trial.Outcome, trial.Failure) = (null, null);
        trial.Started = _tuner.TimeProvider.GetTimestamp();
        trial.SecondsBefore = trial.Seconds;
        Experiment.ChangeState(trial.Id, TrialState.Running);
    }

    private void Launch(TrialRun trial)
    {
        var options = new TaskOptions { Name = $"trial {trial.Id}", NumCpus = _tuner.Resources.NumCpus, NumGpus = _tuner.Resources.NumGpus, Resources = _tuner.Resources.Resources, Isolation = Isolation.None };
        var reference = _cluster!.Submit(TrialCall.Function, new TrialCall(stop => ExecuteAsync(trial, stop)), options);
        _ = AwaitAsync(trial, reference);
    }

    private async ValueTask<bool> ExecuteAsync(TrialRun trial, CancellationToken stop)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stop, _interruption.Token);
        var context = new TrialContext(trial.Id, trial.Params, trial.Checkpoint, (metrics, checkpoint) => Report(trial, metrics, checkpoint), _tuner.Tune.Metric, linked.Token);
        try
        {
            await _objective!(context);
        }
        catch (Exception failure)
        {
            trial.Failure = failure;
        }

        return true;
    }

    private async Task AwaitAsync(TrialRun trial, ObjectRef<bool> reference)
    {
        try
        {
            await _cluster!.Get(reference);
        }
        catch (Exception failure)
        {
            // The cluster could not run the task, for example because it was disposed.
            trial.Failure = failure;
            lock (_lock)
                _failure ??= failure;
        }

        lock (_lock)
        {
            _running--;
            try
            {
                Finish(trial, trial.Failure);
            }
            catch (Exception broken)
            {
                _failure ??= broken;
            }
        }

        Advance();
    }

    /// <summary>Decides on a report; throws if the trial does not continue.</summary>
    private void Report(TrialRun trial, object metrics, Action<string>? checkpoint)
    {
        var values = MetricValues.From(metrics);
        if (!values.ContainsKey(_tuner.Tune.Metric))
            throw new ArgumentException(values.Missing(_tuner.Tune.Metric), nameof(metrics));
        lock (_lock)
        {
            if (trial.Outcome is not null)
                throw new TrialStoppedException();
            trial.Iteration++;
            trial.Seconds = trial.SecondsBefore + _tuner.TimeProvider.GetElapsedTime(trial.Started).TotalSeconds;
            var report = new TrialReported(trial.Id, trial.Iteration, trial.Seconds, values);
            Experiment.Report(report);
            if (checkpoint is not null)
                Experiment.StoreCheckpoint(trial.Id, checkpoint);

            var decision = _scheduler.Decide(trial.Id, trial.Iteration, LossOf(values));
            Apply(decision.Paused);
            CheckTimeBudget();
            var stops = _tuner.Run.Stop?.ShouldStop(report) == true || (_isStopping && !_keepsUnfinished);
            if (!stops && decision.Action == TrialAction.Pause && Experiment.State.Trial(trial.Id).Checkpoints.Count == 0)
                throw new InvalidOperationException($"{_scheduler.GetType().Name} pauses trials, but trial {trial.Id} has no checkpoint. Pass a checkpoint to Report.");
            if (!stops && decision.Action == TrialAction.Exploit)
                Exploit(trial, decision);
            trial.Outcome = stops ? TrialAction.Stop : decision.Action == TrialAction.Continue ? null : decision.Action;
            if (trial.Outcome is not null || _keepsUnfinished)
                throw new TrialStoppedException();
        }
    }

    /// <summary>Copies the checkpoint of a better trial, because that trial may remove its own.</summary>
    private void Exploit(TrialRun trial, TrialDecision decision)
    {
        var source = Experiment.LastCheckpoint(decision.Source!)
            ?? throw new InvalidOperationException($"{_scheduler.GetType().Name} copies checkpoints, but trial {decision.Source} has none. Pass a checkpoint to Report.");
        trial.Params = decision.Params!;
        Experiment.StoreCheckpoint(trial.Id, folder =>
        {
            foreach (var file in Directory.EnumerateFiles(source.Path, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(folder, Path.GetRelativePath(source.Path, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        });
    }

    private void Finish(TrialRun trial, Exception? failure)
    {
        switch (trial.Outcome)
        {
            case TrialAction.Pause:
                if (trial.IsResumed)
                    _waiting.Enqueue(trial);
                else
                    Experiment.ChangeState(trial.Id, TrialState.Paused);
                (trial.IsPaused, trial.IsResumed) = (!trial.IsResumed, false);
                if (trial.IsStoppedWhilePaused)
                    Terminate(trial);
                return;
            case TrialAction.Exploit:
                _waiting.Enqueue(trial);
                return;
            case TrialAction.Stop:
                Terminate(trial);
                return;
        }

        if (failure is null)
        {
            Terminate(trial);
            return;
        }

        // An interrupted trial stays unfinished in the journal, so that Restore continues it.
        if (_keepsUnfinished && failure is OperationCanceledException)
            return;
        trial.Failures++;
        if (_tuner.Failure.MaxFailures == -1 || trial.Failures <= _tuner.Failure.MaxFailures)
        {
            _waiting.Enqueue(trial);
            return;
        }

        Experiment.ChangeState(trial.Id, TrialState.Error, $"{failure.GetType().Name}: {failure.Message}");
        Apply(_scheduler.Complete(trial.Id));
        _searcher.Complete(trial.Id, null);
        if (_tuner.Failure.FailFast)
            Interrupt();
    }

    private void Terminate(TrialRun trial)
    {
        trial.IsPaused = false;
        Experiment.ChangeState(trial.Id, TrialState.Terminated);
        Apply(_scheduler.Complete(trial.Id));
        _searcher.Complete(trial.Id, FinalLoss(Experiment, trial.Id, TrialState.Terminated));
    }

    private void Apply(PausedTrialActions actions)
    {
        foreach (var id in actions.Resume)
        {
            // A trial whose task has not ended yet is queued by Finish.
            if (_trials[id].IsPaused)
                _waiting.Enqueue(_trials[id]);
            else
                _trials[id].IsResumed = true;
            _trials[id].IsPaused = false;
        }

        foreach (var id in actions.Stop)
        {
            if (_trials[id].IsPaused)
                Terminate(_trials[id]);
            else
                _trials[id].IsStoppedWhilePaused = true;
            _trials[id].IsPaused = false;
        }
    }

    private void End()
    {
        if (_failure is not null)
        {
            _finished.TrySetException(_failure);
            return;
        }

        try
        {
            // A stopper or the time budget ended the run while trials were paused.
            foreach (var trial in _keepsUnfinished ? [] : _trials.Values.Where(trial => trial.IsPaused).ToArray())
                Terminate(trial);
            _finished.TrySetResult();
        }
        catch (Exception failure)
        {
            _finished.TrySetException(failure);
        }
    }

    private double LossOf(MetricValues metrics) => !metrics.TryGetValue(_tuner.Tune.Metric, out var value) ? double.NaN : _tuner.Tune.Mode == Mode.Min ? value : -value;

    private double? FinalLoss(Experiment experiment, string trialId, TrialState state) =>
        state == TrialState.Terminated && experiment.State.Trial(trialId).LastReport is { } report ? LossOf(report.Metrics) : null;

    private void RequireSameSettings(Experiment experiment)
    {
        if (experiment.State.Created?.Settings is not { } before || JsonElement.DeepEquals(before, Settings))
            return;
        var (old, now) = (Parameters(before), Parameters(Settings));
        throw new ArgumentException($"Experiment '{experiment.Path}' has other settings. Parameters only before: {Names(old.Except(now))}; only now: {Names(now.Except(old))}; "
            + $"metric and mode before: {before.GetProperty("metric")}, {before.GetProperty("mode")}; now: {_tuner.Tune.Metric}, {_tuner.Tune.Mode}.");

        static string[] Parameters(JsonElement settings) => [.. settings.GetProperty("parameters").EnumerateArray().Select(path => path.GetString()!)];
        static string Names(IEnumerable<string> paths) => string.Join(", ", paths) is { Length: > 0 } names ? names : "none";
    }

    /// <summary>A trial of this run.</summary>
    private sealed class TrialRun(string id, ParamValues parameters)
    {
        public string Id => id;

        public ParamValues Params { get; set; } = parameters;

        public Checkpoint? Checkpoint { get; set; }

        public int Iteration { get; set; }

        public int Failures { get; set; }

        public double Seconds { get; set; }

        public double SecondsBefore { get; set; }

        public long Started { get; set; }

        /// <summary>Why the objective was ended by its last report; null if it goes on.</summary>
        public TrialAction? Outcome { get; set; }

        /// <summary>The exception that ended the objective.</summary>
        public Exception? Failure { get; set; }

        public bool StartsAnew { get; set; }

        public bool IsPaused { get; set; }

        public bool IsResumed { get; set; }

        public bool IsStoppedWhilePaused { get; set; }
    }
}
