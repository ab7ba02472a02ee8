using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Serve.Experiments.Checkpoints;
using Serve.Experiments.Journaling;

namespace Serve.Experiments.Tests;

public sealed class ExperimentTests : IDisposable
{
    private static readonly JsonElement Config = JsonSerializer.SerializeToElement(new { lr = 0.1 });

    private readonly TemporaryTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Create_NoName_IsTheTime()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        await using var experiment = Experiment.Create(new RunConfig { StoragePath = _folder.Path }, timeProvider: clock);

        Assert.Equal("2026-01-02_03-04-05-000", experiment.Name);
        Assert.Equal(Path.Combine(_folder.Path, experiment.Name), experiment.Path);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("..")]
    public void Create_InvalidName_Throws(string name) => Assert.Contains("valid folder name", Assert.Throws<ArgumentException>(() => Create(name)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Create_SameNameTwice_IsRefused()
    {
        var first = Create();
        Assert.Contains("in use by another run", Assert.Throws<IOException>(() => Create()).Message, StringComparison.Ordinal);
        await first.DisposeAsync();
        Assert.Contains("already contains an experiment", Assert.Throws<IOException>(() => Create()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AfterARun_HasTheSameState()
    {
        string path;
        await using (var experiment = Create())
        {
            path = experiment.Path;
            experiment.AddTrial("t1", Config);
            experiment.AddTrial("t2", Config);
            experiment.ChangeState("t1", TrialState.Running);
            experiment.Report(new("t1", 1, 0.5, MetricValues.From(new { loss = 2.0 })));
            experiment.StoreCheckpoint("t1", Checkpoint.Of(1));
            experiment.ChangeState("t1", TrialState.Terminated);
            experiment.ChangeState("t2", TrialState.Error, "boom");
        }

        await using var reopened = Experiment.Open(path);
        Assert.Equal(["t1", "t2"], reopened.State.Trials.Select(trial => trial.Id));
        var (first, second) = (reopened.ResultOf("t1"), reopened.ResultOf("t2"));
        Assert.Equal((2.0, 1, null), (first.Metrics["loss"], first.Checkpoint!.Read<int>(), first.Error));
        Assert.Equal("boom", second.Error);
        Assert.Null(second.Checkpoint);
        Assert.Equal("boom\n", File.ReadAllText(Path.Combine(second.Path, "error.txt")));
        Assert.Equal(0.1, first.Config.GetProperty("lr").GetDouble());
    }

    [Fact]
    public async Task Report_IterationsRepeat_ReplaceTheOldOnes()
    {
        await using var experiment = Create();
        experiment.AddTrial("t", Config);
        for (var iteration = 1; iteration <= 4; iteration++)
            experiment.Report(new("t", iteration, iteration, MetricValues.From(new { loss = iteration })));
        // The trial restarted from the checkpoint of iteration 2.
        experiment.Report(new("t", 3, 9, MetricValues.From(new { loss = 30 })));

        Assert.Equal([1, 2, 30], experiment.State.Trial("t").Reports.Select(report => report.Metrics["loss"]));
        Assert.Throws<KeyNotFoundException>(() => experiment.Report(new("unknown", 1, 0, MetricValues.Empty)));
        await experiment.FlushAsync();
        Assert.DoesNotContain(Journal.Read(experiment.Path), change => change is TrialReported { TrialId: "unknown" });
    }

    [Fact]
    public async Task StoreCheckpoint_WriterFails_KeepsTheEarlierOne()
    {
        await using var experiment = Create();
        experiment.AddTrial("t", Config);
        experiment.StoreCheckpoint("t", Checkpoint.Of("good"));

        Assert.Throws<IOException>(() => experiment.StoreCheckpoint("t", folder =>
        {
            File.WriteAllText(Path.Combine(folder, "half"), "x");
            throw new IOException("No space left on device");
        }));

        Assert.Equal("good", experiment.LastCheckpoint("t")!.Read<string>());
        Assert.Equal(["checkpoint_000000"], Directory.GetDirectories(experiment.TrialPath("t")).Select(Path.GetFileName));
        Assert.Equal("next", experiment.StoreCheckpoint("t", Checkpoint.Of("next")).Read<string>());
    }

    [Fact]
    public async Task Open_CheckpointsWithoutJournalEntry_AreDeleted()
    {
        string path;
        await using (var experiment = Create())
        {
            path = experiment.Path;
            experiment.AddTrial("t", Config);
            experiment.StoreCheckpoint("t", Checkpoint.Of(1));
        }

        // The process died after the rename, or while it wrote the files.
        Directory.CreateDirectory(Path.Combine(path, "t", "checkpoint_000001"));
        Directory.CreateDirectory(Path.Combine(path, "t", ".tmp-checkpoint_000002"));

        await using var reopened = Experiment.Open(path);
        Assert.Equal(["checkpoint_000000"], Directory.GetDirectories(Path.Combine(path, "t")).Select(Path.GetFileName));
        Assert.EndsWith("checkpoint_000001", reopened.StoreCheckpoint("t", Checkpoint.Of(2)).Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StoreCheckpoint_NumToKeep_KeepsBestAndLast()
    {
        await using var experiment = Create(checkpoints: new CheckpointConfig { NumToKeep = 2, ScoreAttribute = "loss", ScoreOrder = ScoreOrder.Min });
        experiment.AddTrial("t", Config);
        foreach (var (index, loss) in new[] { 5.0, 1, double.NaN, 3 }.Index())
        {
            experiment.Report(new("t", index + 1, 0, MetricValues.From(new { loss })));
            experiment.StoreCheckpoint("t", Checkpoint.Of(loss == 1 ? 1 : 0));
        }

        Assert.Equal([1, 3], experiment.State.Trial("t").Checkpoints.Select(checkpoint => checkpoint.Number));
        Assert.Equal(["checkpoint_000001", "checkpoint_000003"], Directory.GetDirectories(experiment.TrialPath("t"), "checkpoint_*").Select(Path.GetFileName).Order());
        Assert.EndsWith("checkpoint_000001", experiment.ResultOf("t").BestCheckpoint!.Path, StringComparison.Ordinal);
        Assert.EndsWith("checkpoint_000003", experiment.ResultOf("t").Checkpoint!.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Surplus_TotalLimit_CountsAllTrialsAndKeepsTheLastOfEach()
    {
        CheckpointStored[] checkpoints = [.. from trial in new[] { "a", "b", "c" } from number in Enumerable.Range(0, 3) select new CheckpointStored(trial, number, (number * 10) + trial[0])];

        var removed = CheckpointRetention.Surplus(checkpoints, new CheckpointConfig { NumToKeepTotal = 4 });

        Assert.Equal(5, removed.Count);
        Assert.Equal(["a2", "b2", "c1", "c2"], checkpoints.Except(removed).Select(checkpoint => $"{checkpoint.TrialId}{checkpoint.Number}").Order());
        Assert.Equal(6, CheckpointRetention.Surplus(checkpoints, new CheckpointConfig { NumToKeepTotal = 1 }).Count);
        Assert.Empty(CheckpointRetention.Surplus(checkpoints, new CheckpointConfig()));
    }

    [Fact]
    public void Validate_LimitNotPositive_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Create(checkpoints: new CheckpointConfig { NumToKeep = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Create(checkpoints: new CheckpointConfig { NumToKeepTotal = -1 }));
    }

    [Fact]
    public async Task FileOf_MissingFile_ListsTheFiles()
    {
        await using var experiment = Create();
        experiment.AddTrial("t", Config);
        var checkpoint = experiment.StoreCheckpoint("t", folder => File.WriteAllText(Path.Combine(folder, "model.bin"), "x"));

        Assert.Contains("Files: model.bin.", Assert.Throws<FileNotFoundException>(() => checkpoint.Read<int>()).Message, StringComparison.Ordinal);
        Assert.Equal("x", File.ReadAllText(checkpoint.FileOf("model.bin")));
    }

    private Experiment Create(string name = "run", CheckpointConfig? checkpoints = null) => Experiment.Create(new RunConfig { Name = name, StoragePath = _folder.Path }, checkpoints);
}
