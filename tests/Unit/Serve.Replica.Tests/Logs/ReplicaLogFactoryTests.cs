using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Replica.Logs;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Logs;

public sealed class ReplicaLogFactoryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("serve-logs-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Line_OfARequest_HasTimeLevelReplicaAndRequestId()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Calculator));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/app/square/3");
        request.Headers.Add("X-Request-ID", "req-9");

        (await replica.Client.SendAsync(request)).Dispose();

        // Read while the replica is running: lines are flushed immediately.
        Assert.Matches(
            @"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO shop#Calculator#r1 req-9 Serve\.Replica\.Tests\.Samples\.Calculator: squaring 3\r?$", replica.Log);
    }

    [Fact]
    public void Line_WithControlCharacters_ForgesNoEntry()
    {
        using (var log = new ReplicaLogFactory(_directory, Replica("r1")))
            log.Provider.CreateLogger("Code").LogInformation("said {Text}", "a\r\n2026-01-01 00:00:00.000 EROR forged\nb\rc\u001b[2Jd\u2028e\tf\0");

        var lines = File.ReadAllLines(Path.Combine(_directory, "replica.log"));
        Assert.EndsWith(" Code: said a", lines[0], StringComparison.Ordinal);
        Assert.Equal(["    2026-01-01 00:00:00.000 EROR forged", "    b\\u000dc\\u001b[2Jd\\u2028e\tf\\u0000"], lines[1..]);
    }

    [Fact]
    public async Task Line_OutsideARequest_HasADash()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Calculator));

        Assert.Matches(@"INFO shop#Calculator#r1 - Serve\.Replica: Serve\.Replica\.Tests\.Samples\.Calculator is ready after", replica.Log);
    }

    [Fact]
    public async Task Line_OfAReplica_IsMirroredToTheProcess()
    {
        var process = new RecordingLoggerFactory();
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Calculator), new() { ProcessLoggers = [process] });

        await replica.GetAsync("/square/3");

        Assert.Contains("shop#Calculator#r1 Serve.Replica.Tests.Samples.Calculator: squaring 3", process.Lines);
    }

    [Fact]
    public void Files_OverTheLimit_RollAndTheNewestFiveStay()
    {
        using (var log = new ReplicaLogFactory(_directory, Replica("r1"), fileSizeLimit: 1000))
        {
            var logger = log.Provider.CreateLogger("test");
            for (var line = 0; line < 200; line++)
                logger.LogInformation("line {Number}", line);
        }

        var files = Directory.GetFiles(_directory).Order().ToList();
        Assert.Equal(5, files.Count);
        Assert.Contains("line 199", File.ReadAllText(files[^1]), StringComparison.Ordinal);
        Assert.All(files, file => Assert.InRange(new FileInfo(file).Length, 1, 1200));
    }

    [Fact]
    public void RequestId_FromTheRequestBeingServed()
    {
        using (var log = new ReplicaLogFactory(_directory, Replica("r1")))
        {
            RequestContext.Current = new RequestContext(new CallContext { RequestId = "abc" }, CancellationToken.None);
            log.Provider.CreateLogger("test").LogWarning("hello");
            RequestContext.Current = null;
        }

        Assert.Contains("WARN shop#Counter#r1 abc test: hello", File.ReadAllText(Path.Combine(_directory, "replica.log")), StringComparison.Ordinal);
    }

    [Fact]
    public void Prune_ManyReplicasThatAreGone_KeepsTheNewestAndTheLive()
    {
        using var live = new ReplicaLogFactory(Path.Combine(_directory, "live"), Replica("live"));
        live.Provider.CreateLogger("test").LogInformation("here");
        Directory.SetLastWriteTimeUtc(Path.Combine(_directory, "live"), new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        for (var day = 1; day <= 9; day++)
            Gone($"gone{day}", day);
        Directory.CreateDirectory(Path.Combine(_directory, "no-replica"));
        Directory.SetLastWriteTimeUtc(Path.Combine(_directory, "no-replica"), new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var mine = Path.Combine(_directory, "mine");

        ReplicaLogRetention.Prune(mine, kept: 3);

        Assert.Equal(["gone7", "gone8", "gone9", "live", "no-replica"], Directory.GetDirectories(_directory).Select(Path.GetFileName).Order());
    }

    private void Gone(string name, int day)
    {
        var gone = Directory.CreateDirectory(Path.Combine(_directory, name)).FullName;
        File.WriteAllText(Path.Combine(gone, "replica.log"), "gone");
        Directory.SetLastWriteTimeUtc(gone, new DateTime(2026, 1, day, 0, 0, 0, DateTimeKind.Utc));
    }

    private static ReplicaId Replica(string suffix) => new(new DeploymentId("shop", "Counter"), suffix);
}
