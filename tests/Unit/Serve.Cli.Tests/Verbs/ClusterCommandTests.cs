using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Serve.Cli.Tests.Verbs;

/// <summary>Commands that query a cluster of this process, which they find as they would find one of another program.</summary>
[Collection("local APIs")]
public sealed partial class ClusterCommandTests(ClusterCommandTests.RunningStateServer running) : IClassFixture<ClusterCommandTests.RunningStateServer>
{
    private static readonly string StateFolder = Path.Combine(Path.GetTempPath(), $"serve-cli-tests-state-{Environment.ProcessId}");

    [ModuleInitializer]
    internal static void UseAStateFolderOfOurOwn() => Environment.SetEnvironmentVariable("XDG_STATE_HOME", StateFolder);

    [Fact]
    public async Task List_Tasks_ATable()
    {
        var run = await RunAsync("list", "tasks");
        Assert.StartsWith("TASK ", run.Out, StringComparison.Ordinal);
        Assert.Contains("Sums.Add", run.Out, StringComparison.Ordinal);
        Assert.Contains("FINISHED", run.Out, StringComparison.Ordinal);
        Assert.Contains("InvalidOperationException: no sum", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_FilterAndLimit_ThoseAndHowManyThereAre()
    {
        var failed = await RunAsync("list", "tasks", "--filter", "state=FAILED");
        Assert.Contains("Sums.Fail", failed.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Sums.Add", failed.Out, StringComparison.Ordinal);
        var others = await RunAsync("list", "tasks", "--filter", "state!=FAILED");
        Assert.Contains("Sums.Add", others.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Sums.Fail", others.Out, StringComparison.Ordinal);
        var limited = await RunAsync("list", "tasks", "--limit", "2");
        Assert.Equal(3, limited.Out.TrimEnd().Split('\n').Length);
        Assert.Contains("Showing the newest 2 of 4", limited.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_Json_WritesResponseOfApi()
    {
        var tasks = JsonDocument.Parse((await RunAsync("list", "tasks", "--json")).Out).RootElement;
        Assert.Equal(4, tasks.GetArrayLength());
        Assert.Equal("FINISHED", tasks[0].GetProperty("state").GetString());
    }

    [Fact]
    public async Task List_UnknownField_OneLineAndCode1()
    {
        var run = await RunAsync("list", "tasks", "--filter", "colour=red");
        Assert.Equal(CliExitCode.Failed, run.Code);
        Assert.Contains("Unknown filter field 'colour'", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_NoEntries_WritesMessage() => Assert.Equal("No workers.", (await RunAsync("list", "workers")).Out.Trim());

    [Fact]
    public async Task List_OtherKinds_Tables()
    {
        Assert.Contains("CREATED", (await RunAsync("list", "placement-groups")).Out, StringComparison.Ordinal);
        Assert.Contains("CPU=", (await RunAsync("list", "nodes")).Out, StringComparison.Ordinal);
        Assert.Contains("Total", (await RunAsync("list", "actors")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Summary_All_CountsAndResources()
    {
        var run = await RunAsync("summary");
        Assert.Contains("CPU", run.Out, StringComparison.Ordinal);
        Assert.Matches(@"Sums\.Add +3", run.Out);
        Assert.Contains("Total", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("CPU", (await RunAsync("summary", "tasks")).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_Cluster_TellsTheProcess() =>
        Assert.Contains($"process {Environment.ProcessId}: ", (await RunAsync("memory")).Out, StringComparison.Ordinal);

    [Fact]
    public async Task Timeline_File_IsAChromeTrace()
    {
        using var folder = new TemporaryTestFolder();
        var file = folder.In("trace.json");
        var run = await RunAsync("timeline", "-o", file);
        Assert.Contains(file, run.Out, StringComparison.Ordinal);
        var events = JsonDocument.Parse(await File.ReadAllTextAsync(file)).RootElement.GetProperty("traceEvents");
        Assert.Contains(events.EnumerateArray(), entry => entry.GetProperty("name").GetString() == "Sums.Add");
    }

    [Fact]
    public async Task Timeline_StandardOutput_NothingButTheTrace()
    {
        var events = JsonDocument.Parse((await RunAsync("timeline", "-o", "-")).Out).RootElement.GetProperty("traceEvents");
        Assert.Contains(events.EnumerateArray(), entry => entry.GetProperty("name").GetString() == "Sums.Fail");
    }

    [Fact]
    public async Task SummaryAndMemory_Json_WriteResponseOfApi()
    {
        var all = JsonDocument.Parse((await RunAsync("summary", "--json")).Out).RootElement;
        Assert.Equal(3, all.GetProperty("tasks").GetProperty("Sums.Add").GetProperty("FINISHED").GetInt64());
        Assert.Equal(4, all.GetProperty("resources").GetProperty("CPU").GetProperty("total").GetDouble());
        var tasks = JsonDocument.Parse((await RunAsync("summary", "tasks", "--json")).Out).RootElement;
        Assert.Equal(1, tasks.GetProperty("Sums.Fail").GetProperty("FAILED").GetInt64());
        Assert.Equal(Environment.ProcessId, JsonDocument.Parse((await RunAsync("memory", "--json")).Out).RootElement.GetProperty("pid").GetInt32());
    }

    private async Task<CapturedCommandRun> RunAsync(params string[] arguments)
    {
        await running.Announced;
        return await CapturedCommandRun.OfAsync([.. arguments, "--pid", $"{Environment.ProcessId}"]);
    }

    /// <summary>A cluster that has run four tasks, one of which failed, and has an actor and a placement group.</summary>
    public sealed class RunningStateServer : IAsyncLifetime
    {
        private Cluster _ray = null!;

        public Task Announced { get; private set; } = Task.CompletedTask;

        private ActorHandle<Total>? _total;

        public async Task InitializeAsync()
        {
            _ray = await Cluster.Init(new() { NumCpus = 4 });
            Announced = Eventually.TrueAsync(() => Serve.Hosting.LocalApiAnnouncement.OfClusters().Find().Count > 0, () => "the cluster is announced");
            var sums = await _ray.Get([_ray.Sums.Add.Remote(1, 2), _ray.Sums.Add.Remote(2, 3), _ray.Sums.Add.Remote(3, 4)]);
            Assert.Equal([3, 5, 7], sums);
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await _ray.Get(_ray.Sums.Fail.Remote()));
            _total = _ray.Total.Remote();
            await _ray.CreatePlacementGroup([new() { Cpus = 1 }]).Ready;
        }

        public async Task DisposeAsync()
        {
            GC.KeepAlive(_total);
            await _ray.DisposeAsync();
            Assert.Empty(Serve.Hosting.LocalApiAnnouncement.OfClusters().Find());
            Directory.Delete(StateFolder, recursive: true);
        }
    }
}

public static partial class Sums
{
    [Remote]
    public static int Add(int x, int y) => x + y;

    [Remote]
    public static int Fail() => throw new InvalidOperationException("no sum");
}

[Remote]
public sealed class Total
{
    private int _sum;

    public int Add(int number) => _sum += number;
}
