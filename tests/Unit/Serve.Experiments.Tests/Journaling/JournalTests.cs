using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Serve.Experiments.Journaling;

namespace Serve.Experiments.Tests.Journaling;

public sealed class JournalTests : IDisposable
{
    private readonly TemporaryTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Append_AllKindsOfEvents_AreReadBack()
    {
        ExperimentEvent[] events =
        [
            new ExperimentCreated("mnist", new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)),
            new TrialAdded("a", JsonSerializer.SerializeToElement(new { lr = 0.1, name = "x\ny\"z" })),
            new TrialStateChanged("a", TrialState.Running),
            new TrialReported("a", 1, 0.5, MetricValues.From(new { loss = double.NaN, best = double.NegativeInfinity, accuracy = 0.25 })),
            new CheckpointStored("a", 0, 1, 0.25),
            new CheckpointStored("a", 1, 1),
            new CheckpointRemoved("a", 0),
            new TrialStateChanged("a", TrialState.Error, "line 1\nline 2"),
        ];
        await using (var journal = Journal.Create(_folder.Path))
        {
            foreach (var change in events)
                journal.Append(change);
        }

        var (reopened, read) = Journal.Open(_folder.Path);
        await reopened.DisposeAsync();
        Assert.Equal(events.Select(Describe), read.Select(Describe));
        Assert.Equal(events.Length, File.ReadAllLines(Path.Combine(_folder.Path, Journal.FileName)).Length);
    }

    [Fact]
    public async Task Open_TornLastLine_IsRemovedAtEachLength()
    {
        await using (var journal = Journal.Create(_folder.Path))
        {
            journal.Append(new TrialStateChanged("a", TrialState.Running));
            journal.Append(new TrialStateChanged("b", TrialState.Error, "ü"));
        }

        var path = Path.Combine(_folder.Path, Journal.FileName);
        var whole = File.ReadAllBytes(path);
        var firstLine = Array.IndexOf(whole, (byte)'\n') + 1;
        for (var length = firstLine; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            var (journal, events) = Journal.Open(_folder.Path);
            Assert.Single(events);
            journal.Append(new TrialStateChanged("c", TrialState.Paused));
            await journal.DisposeAsync();

            Assert.Equal([new TrialStateChanged("a", TrialState.Running), new TrialStateChanged("c", TrialState.Paused)], Journal.Read(_folder.Path));
        }
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{\"event\":\"unknown\"}")]
    [InlineData("{\"event\":\"state\",\"trial\":\"a\"}")]
    [InlineData("{\"event\":\"state\",\"trial\":\"a\",\"state\":\"Odd\"}")]
    public void Open_DamagedLineInTheMiddle_ThrowsWithTheLine(string damaged)
    {
        File.WriteAllText(Path.Combine(_folder.Path, Journal.FileName), $"{{\"event\":\"state\",\"trial\":\"a\",\"state\":\"Running\"}}\n{damaged}\n{{\"event\":\"state\",\"trial\":\"a\",\"state\":\"Paused\"}}\n");

        Assert.Contains("Line 2 of", Assert.Throws<FormatException>(() => Journal.Open(_folder.Path)).Message, StringComparison.Ordinal);
        // The lock was released.
        Assert.Throws<FormatException>(() => Journal.Open(_folder.Path));
    }

    [Fact]
    public async Task CreateAndOpen_InUseOrExisting_IsRefused()
    {
        await using (var journal = Journal.Create(_folder.Path))
        {
            Assert.Contains("in use by another run", Assert.Throws<IOException>(() => Journal.Open(_folder.Path)).Message, StringComparison.Ordinal);
            journal.Append(new TrialStateChanged("a", TrialState.Running));
            await journal.FlushAsync();
            Assert.Single(Journal.Read(_folder.Path));
        }

        Assert.Contains("already contains an experiment", Assert.Throws<IOException>(() => Journal.Create(_folder.Path)).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => Journal.Open(Path.Combine(_folder.Path, "other")));
    }

    [Fact]
    public async Task Append_ManyThreads_WritesWholeLinesInTheOrderOfEachThread()
    {
        await using (var journal = Journal.Create(_folder.Path))
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(async () =>
            {
                for (var number = 1; number <= 5_000; number++)
                {
                    journal.Append(new TrialReported($"t{thread}", number, 0, MetricValues.From(new { number })));
                    if (number % 1_000 == 0)
                        await journal.FlushAsync();
                }
            })));
        }

        var reports = Journal.Read(_folder.Path).Cast<TrialReported>().ToArray();
        Assert.Equal(20_000, reports.Length);
        Assert.All(reports.GroupBy(report => report.TrialId), trial => Assert.Equal(Enumerable.Range(1, 5_000), trial.Select(report => report.Iteration)));
    }

    [Fact]
    public async Task Append_DiskFull_FailsWithTheCause()
    {
        if (!File.Exists("/dev/full"))
            return;
        // Writes to this device fail as on a full disk.
        File.CreateSymbolicLink(Path.Combine(_folder.Path, Journal.FileName), "/dev/full");
        var (journal, _) = Journal.Open(_folder.Path);
        journal.Append(new TrialStateChanged("a", TrialState.Running));

        await Assert.ThrowsAsync<IOException>(journal.FlushAsync);
        Assert.Contains("cannot be written", Assert.Throws<IOException>(() => journal.Append(new TrialStateChanged("a", TrialState.Paused))).Message, StringComparison.Ordinal);
        await journal.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => journal.Append(new TrialStateChanged("a", TrialState.Paused)));
    }

    [Fact]
    public async Task Read_WhileAProcessIsKilled_LosesNoFlushedEvent()
    {
        // A process that appends and prints the number of each flushed event, until it is killed.
        await using (var journal = Journal.Create(_folder.Path))
            journal.Append(new TrialStateChanged("first", TrialState.Running));
        var path = Path.Combine(_folder.Path, Journal.FileName);
        var line = "{\"event\":\"state\",\"trial\":\"a\",\"state\":\"Running\"}";
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"while true; do printf '%s' '{line[..20]}' >> '{path}'; printf '%s\\n' '{line[20..]}' >> '{path}'; echo x; done"]) { RedirectStandardOutput = true })!;
        for (var count = 0; count < 50; count++)
            await process.StandardOutput.ReadLineAsync();
        process.Kill();
        await process.WaitForExitAsync();

        var (reopened, events) = Journal.Open(_folder.Path);
        await reopened.DisposeAsync();
        Assert.InRange(events.Count, 51, int.MaxValue);
        Assert.EndsWith("}\n", Encoding.UTF8.GetString(File.ReadAllBytes(path)), StringComparison.Ordinal);
    }

    private static string Describe(ExperimentEvent change)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
            EventFormat.Write(writer, change);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
