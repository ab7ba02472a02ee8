using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using Serve.Experiments;
using Serve.Experiments.Checkpoints;
using Serve.Experiments.Journaling;
using Serve.Experiments.Stopping;
using Serve.Tuning.Schedulers;
using Serve.Tuning.Searchers;
using Serve.Tuning.Spaces;

namespace Serve.Tuning.Tests;

public sealed class TunerTests : IAsyncLifetime, IDisposable
{
    private static readonly ParamSpace Space = new() { ["x"] = Tune.Uniform(-1, 1) };

    private readonly TemporaryTestFolder _folder = new();
    private readonly ConcurrentQueue<string> _executed = new();
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2, Observable = false });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Fit_Function_FindsTheBestAndWritesItsFiles()
    {
        var tuner = new Tuner(_ray, Space, values => Math.Pow(values.Get<double>("x") - 0.5, 2)) { Tune = new() { Metric = "loss", NumSamples = 25, Search = new GpSearch(seed: 1) }, Run = Run() };

        var results = await tuner.Fit();

        Assert.Equal(25, results.Trials.Count);
        Assert.Equal(0.5, results.Best.Params.Get<double>("x"), 0.05);
        Assert.Equal(results.Best.Params.Get<double>("x"), results.Best.Result.Config.GetProperty("x").GetDouble());
        Assert.All(["params.json", "result.json", "progress.csv"], file => Assert.True(File.Exists(Path.Combine(results.Best.Result.Path, file)), file));
        Assert.Empty(results.Errors);
        Assert.All(ExperimentState.From(Journal.Read(results.Path)).Trials, trial => Assert.Equal(TrialState.Terminated, trial.State));
    }

    [Fact]
    public async Task Fit_Grid_RunsEachCellOnceWithinTheLimit()
    {
        var (running, most) = (0, 0);
        var tuner = new Tuner(_ray, new ParamSpace { ["a"] = Tune.GridSearch(1, 2, 3), ["b"] = Tune.GridSearch(10, 20) }, async trial =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref running));
            await Task.Yield();
            trial.Report(new { loss = trial.Params.Get<int>("a") * trial.Params.Get<int>("b") });
            Interlocked.Decrement(ref running);
        }) { Tune = new() { Metric = "loss", Mode = Mode.Max, MaxConcurrentTrials = 1 }, Run = Run(), WritesResultFiles = false };

        var results = await tuner.Fit();

        Assert.Equal((6, 1), (results.Trials.Count, most));
        Assert.Equal((3, 20), (results.Best.Params.Get<int>("a"), results.Best.Params.Get<int>("b")));
    }

    [Fact]
    public async Task Fit_Asha_StopsBadTrialsEarly()
    {
        var tuner = Training(27, new() { Metric = "loss", NumSamples = 30, Scheduler = new AshaScheduler(27, reductionFactor: 3) });

        var results = await tuner.Fit();

        Assert.InRange(results.Trials.Sum(trial => trial.Result.Reports.Count), 30, 30 * 27 / 2);
        Assert.Contains(results.Trials, trial => trial.Result.Reports.Count == 1);
        Assert.All(results.Trials, trial => Assert.Null(trial.Result.Error));
        Assert.Equal(27, results.Best.Result.Reports.Count);
    }

    [Fact]
    public async Task Fit_HyperBand_ContinuesPausedTrialsFromTheirCheckpoints()
    {
        var tuner = Training(9, new() { Metric = "loss", NumSamples = 12, Scheduler = new HyperBandScheduler(9, 3) });

        var results = await tuner.Fit();

        Assert.Equal(12, results.Trials.Count);
        Assert.All(results.Trials, trial => Assert.Equal(Enumerable.Range(1, trial.Result.Reports.Count), trial.Result.Reports.Select(report => report.Iteration)));
        Assert.Contains(results.Trials, trial => trial.Result.Reports.Count == 9);
        Assert.Contains(results.Trials, trial => trial.Result.Reports.Count == 1);
        // Each epoch was trained once: nothing was repeated after a pause.
        Assert.Equal(results.Trials.Sum(trial => trial.Result.Reports.Count), _executed.Count);
        Assert.All(ExperimentState.From(Journal.Read(results.Path)).Trials, trial => Assert.Equal(TrialState.Terminated, trial.State));
    }

    [Fact]
    public async Task Fit_HyperBandWithoutCheckpoints_FailsWithTheReason()
    {
        var tuner = new Tuner(_ray, Space, trial =>
        {
            for (var epoch = 0; epoch < 9; epoch++)
                trial.Report(new { loss = 1 });
            return Task.CompletedTask;
        }) { Tune = new() { Metric = "loss", NumSamples = 2, MaxConcurrentTrials = 1, Scheduler = new HyperBandScheduler(9, 3) }, Run = Run() };

        var results = await tuner.Fit();

        Assert.All(results.Errors, error => Assert.Contains("has no checkpoint. Pass a checkpoint to Report.", error, StringComparison.Ordinal));
        Assert.Equal(2, results.Errors.Count());
    }

    [Fact]
    public async Task Fit_Pbt_CopiesCheckpointsAndParameters()
    {
        // The score grows by the rate; the bad trial can win only with the state of the good one.
        var tuner = new Tuner(_ray, new ParamSpace { ["rate"] = Tune.GridSearch(1.0, 0.001) }, async trial =>
        {
            var (epoch, score) = trial.Restore<Progress>() is { } saved ? (saved.Epoch, saved.Score) : (0, 0.0);
            while (epoch < 12)
            {
                score += trial.Params.Get<double>("rate");
                trial.Report(new { score }, Checkpoint.Of(new Progress(++epoch, score)));
                await Task.Delay(1, trial.Stop);
            }
        })
        {
            Tune = new() { Metric = "score", Mode = Mode.Max, Scheduler = new PopulationBasedTraining(new ParamSpace { ["rate"] = Tune.Uniform(0, 1) }, interval: 2, quantile: 0.5, resampleProbability: 0) },
            Run = Run(), WritesResultFiles = false, Checkpoints = new() { NumToKeep = 1 },
        };

        var results = await tuner.Fit();

        Assert.All(results.Trials, trial => Assert.InRange(trial.Result.Metrics["score"], 3, 12));
        Assert.All(results.Trials, trial => Assert.True(trial.Params.Get<double>("rate") > 0.3, trial.Params.ToString()));
    }

    [Fact]
    public async Task Fit_TrialFails_RetriesFromTheCheckpoint()
    {
        var failures = 0;
        var tuner = Training(5, new() { Metric = "loss" }, epoch =>
        {
            if (epoch == 3 && failures++ == 0)
                throw new InvalidOperationException("lost connection");
        });
        var retried = await Copy(tuner, new() { MaxFailures = 1 }).Fit();

        Assert.Null(retried.Best.Result.Error);
        Assert.Equal(5, retried.Best.Result.Reports.Count);
        Assert.Equal(["1", "2", "4", "5"], _executed.Where(epoch => epoch != "3"));

        failures = 0;
        var failed = await Copy(tuner, new(), "second").Fit();
        Assert.Equal("00000: InvalidOperationException: lost connection", Assert.Single(failed.Errors));
        Assert.Equal(2, failed.Trials[0].Result.Reports.Count);
    }

    [Fact]
    public async Task Fit_FailFast_LeavesTheRestForRestore()
    {
        var broken = true;
        var tuner = new Tuner(_ray, new ParamSpace { ["n"] = Tune.GridSearch(1, 2, 3, 4) }, trial =>
        {
            if (broken && trial.Params.Get<int>("n") == 2)
                throw new InvalidOperationException("bad");
            trial.Report(new { loss = trial.Params.Get<int>("n") });
            return Task.CompletedTask;
        }) { Tune = new() { Metric = "loss", MaxConcurrentTrials = 1 }, Run = Run(), Failure = new() { FailFast = true } };

        var results = await tuner.Fit();
        Assert.Equal(2, results.Trials.Count);

        broken = false;
        var restored = await tuner.Restore(results.Path, restartErrored: true);
        Assert.Equal([1, 2, 3, 4], restored.Trials.Select(trial => trial.Result.Metrics["loss"]));
        Assert.Empty(restored.Errors);
    }

    [Fact]
    public async Task Fit_MetricMissing_NamesTheReportedOnes()
    {
        var tuner = new Tuner(_ray, Space, trial =>
        {
            trial.Report(new { val_loss = 1 });
            return Task.CompletedTask;
        }) { Tune = new() { Metric = "val_los" }, Run = Run() };

        var results = await tuner.Fit();

        Assert.Contains("Metric 'val_los' was not reported. Did you mean 'val_loss'?", Assert.Single(results.Errors), StringComparison.Ordinal);
        Assert.Contains("first error: 00000", Assert.Throws<InvalidOperationException>(() => results.Best).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restore_JournalCutAnywhere_RepeatsNoFinishedTrial()
    {
        var original = await Search("original").Fit();
        var lines = File.ReadAllLines(Path.Combine(original.Path, Journal.FileName));
        _executed.Clear();
        foreach (var count in Enumerable.Range(1, lines.Length))
        {
            // The process died after `count` events and a part of the next one.
            var path = Directory.CreateDirectory(_folder.In($"cut{count}")).FullName;
            File.WriteAllText(Path.Combine(path, Journal.FileName), string.Join('\n', lines[..count]) + "\n" + (count < lines.Length ? lines[count][..(lines[count].Length / 2)] : ""));
            var finished = ExperimentState.From(Journal.Read(path)).Trials.Where(trial => trial.HasEnded).Select(trial => trial.Id).ToArray();

            var restored = await Search($"cut{count}").Restore(path);

            Assert.Empty(finished.Intersect(_executed));
            Assert.Equal(original.Trials.Select(trial => trial.Params), restored.Trials.Select(trial => trial.Params));
            Assert.Equal(original.Trials.Select(trial => trial.Result.Metrics["loss"]), restored.Trials.Select(trial => trial.Result.Metrics["loss"]));
            _executed.Clear();
        }

        Tuner Search(string name) => new(_ray, Space, trial =>
        {
            _executed.Enqueue(trial.Id);
            trial.Report(new { loss = Math.Abs(trial.Params.Get<double>("x")) });
            trial.Report(new { loss = Math.Pow(trial.Params.Get<double>("x"), 2) });
            return Task.CompletedTask;
        }) { Tune = new() { Metric = "loss", NumSamples = 14, MaxConcurrentTrials = 1, Search = new TpeSearch(seed: 5, startupTrials: 4) }, Run = Run(name), WritesResultFiles = false };
    }

    [Fact]
    public async Task Fit_Canceled_IsContinuedByRestore()
    {
        using var stop = new CancellationTokenSource();
        var tuner = Training(5, new() { Metric = "loss", NumSamples = 6, MaxConcurrentTrials = 1 }, epoch =>
        {
            if (_executed.Count == 12)
                stop.Cancel();
        });

        var interrupted = await Assert.ThrowsAsync<OperationCanceledException>(() => tuner.Fit(stop.Token));
        var before = _executed.Count;
        Assert.Contains("Continue it with Restore(", interrupted.Message, StringComparison.Ordinal);
        var results = await Training(5, new() { Metric = "loss", NumSamples = 6, MaxConcurrentTrials = 1 }).Restore(_folder.In("run"));

        Assert.Equal(6, results.Trials.Count);
        Assert.All(results.Trials, trial => Assert.Equal(5, trial.Result.Reports.Count));
        Assert.InRange(before, 12, 13);
        Assert.Equal(30, _executed.Count);
    }

    [Fact]
    public async Task Restore_OtherSpaceOrSeed_IsRefused()
    {
        await Training(1, new() { Metric = "loss", NumSamples = 3, Search = new TpeSearch(seed: 1) }).Fit();
        var path = _folder.In("run");

        var otherSpace = new Tuner(_ray, new ParamSpace { ["y"] = Tune.Uniform(0, 1) }, _ => 1.0) { Tune = new() { Metric = "loss" } };
        Assert.Contains("Parameters only before: x; only now: y", (await Assert.ThrowsAsync<ArgumentException>(() => otherSpace.Restore(path))).Message, StringComparison.Ordinal);
        var otherSeed = Training(1, new() { Metric = "loss", NumSamples = 3, Search = new TpeSearch(seed: 2) });
        Assert.Contains("Use the same space, search algorithm and seed.", (await Assert.ThrowsAsync<ArgumentException>(() => otherSeed.Restore(path))).Message, StringComparison.Ordinal);
        Assert.Equal(3, (await Training(1, new() { Metric = "loss", NumSamples = 3, Search = new TpeSearch(seed: 1) }).Restore(path)).Trials.Count);
    }

    [Fact]
    public async Task Fit_StopperAndTimeBudget_EndTrialsAndRun()
    {
        var results = await Training(50, new() { Metric = "loss", NumSamples = 2 }, run: Run() with { Stop = Stop.AfterIterations(3) }).Fit();
        Assert.All(results.Trials, trial => Assert.Equal(3, trial.Result.Reports.Count));

        var clock = new FakeTimeProvider();
        var budget = Training(50, new() { Metric = "loss", NumSamples = -1, TimeBudget = TimeSpan.FromSeconds(10), MaxConcurrentTrials = 1 }, _ => clock.Advance(TimeSpan.FromSeconds(1)), Run("budget"), clock);
        var limited = await budget.Fit();
        Assert.Equal(10, Assert.Single(limited.Trials).Result.Reports.Count);
        Assert.Equal(10, limited.Best.Result.Reports[^1].Seconds, 6);
    }

    [Fact]
    public async Task Fit_InvalidConfiguration_Throws()
    {
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Training(1, new() { Metric = "loss", NumSamples = 0 }).Fit());
        Assert.Contains("never ends", (await Assert.ThrowsAsync<ArgumentException>(() => Training(1, new() { Metric = "loss", NumSamples = -1 }).Fit())).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Training(1, new() { Metric = "loss", MaxConcurrentTrials = 0 }).Fit());
        var large = new Tuner(_ray, Space, _ => 1.0) { Tune = new() { Metric = "loss" }, Resources = new() { NumCpus = 3 }, Run = Run() };
        Assert.Contains("A trial needs 3 CPU, but the cluster has 2.", (await Assert.ThrowsAsync<InsufficientResourcesException>(() => large.Fit())).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.In("run")));
        await Training(1, new() { Metric = "loss" }).Fit();
        await Assert.ThrowsAsync<IOException>(() => Training(1, new() { Metric = "loss" }).Fit());
    }

    private RunConfig Run(string name = "run") => new() { Name = name, StoragePath = _folder.Path };

    /// <summary>Trials with a checkpoint after each epoch; the loss falls to |x|.</summary>
    private Tuner Training(int epochs, TuneConfig config, Action<int>? beforeReport = null, RunConfig? run = null, TimeProvider? clock = null) => new(_ray, Space, async trial =>
    {
        for (var epoch = trial.Restore<Progress>()?.Epoch ?? 0; epoch < epochs;)
        {
            epoch++;
            _executed.Enqueue($"{epoch}");
            beforeReport?.Invoke(epoch);
            trial.Report(new { loss = Math.Abs(trial.Params.Get<double>("x")) + (1.0 / epoch) }, Checkpoint.Of(new Progress(epoch, 0)));
            await Task.Yield();
        }
    }) { Tune = config, Run = run ?? Run(), WritesResultFiles = false, TimeProvider = clock ?? TimeProvider.System };

    private Tuner Copy(Tuner tuner, FailureConfig failure, string name = "run") =>
        new(_ray, tuner.Space, tuner.Objective) { Tune = tuner.Tune, Run = Run(name), WritesResultFiles = false, Failure = failure };

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
            Interlocked.CompareExchange(ref target, value, seen);
    }

    private sealed record Progress(int Epoch, double Score);
}
