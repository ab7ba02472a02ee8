using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Serve.Dashboard.Sources;

namespace Serve.Dashboard.Tests;

public sealed class DashboardSamplerTests
{
    private readonly FakeDashboardSource _source = new();

    [Fact]
    public async Task Snapshot_Processes_ContainsThisProcessWithItsUse()
    {
        await using var dashboard = await StartAsync();
        await SnapshotAsync(dashboard, "processes");
        dashboard.Time.Advance(TimeSpan.FromSeconds(1));

        var table = (await SnapshotAsync(dashboard, "processes,nodes"))["topics"]!["processes"]!;

        var row = Row(table, Environment.ProcessId.ToString(null, null));
        Assert.Equal("node", (string?)row["info"]!["kind"]);
        Assert.InRange(Value(table, row, "rss_mib")!.Value, 10, 10_000);
        Assert.InRange(Value(table, row, "threads")!.Value, 2, 1000);
        Assert.InRange(Value(table, row, "open_files")!.Value, 3, 10_000);
        Assert.InRange(Value(table, row, "cpu")!.Value, 0, 64);
        Assert.InRange(Value(table, row, "gc_heap_mib")!.Value, 0.1, 1000);
        Assert.Null(Value(table, row, "gpu"));
    }

    [Fact]
    public async Task Snapshot_BusyProcess_ReportsItsCpu()
    {
        await using var dashboard = await StartAsync();
        await SnapshotAsync(dashboard, "processes");
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var watch = Stopwatch.StartNew();
        while (watch.ElapsedMilliseconds < 400)
        {
        }

        var used = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
        // The clock of the rates, which the test moves.
        dashboard.Time.Advance(TimeSpan.FromSeconds(2));

        var table = (await SnapshotAsync(dashboard, "processes"))["topics"]!["processes"]!;

        Assert.InRange(Value(table, Row(table, Environment.ProcessId.ToString(null, null)), "cpu")!.Value, used / 2 * 0.7, (used / 2 * 1.6) + 0.2);
    }

    [Fact]
    public async Task Snapshot_KilledWorker_IsShownAsExitedWithItsReasonForAMinute()
    {
        using var worker = Process.Start(new ProcessStartInfo("sleep", "600"))!;
        _source.Workers.Add(new() { WorkerId = "w1", Pid = worker.Id, Label = "app", LogFilePath = "/tmp/w1.log" });
        await using var dashboard = await StartAsync();
        var key = worker.Id.ToString(null, null);
        var alive = (await SnapshotAsync(dashboard, "processes"))["topics"]!["processes"]!;
        worker.Kill();
        await worker.WaitForExitAsync();
        _source.Workers.Clear();
        _source.ExitReasons[worker.Id] = "killed by signal 9";
        dashboard.Time.Advance(TimeSpan.FromSeconds(1));

        var dead = (await SnapshotAsync(dashboard, "processes"))["topics"]!["processes"]!;
        dashboard.Time.Advance(TimeSpan.FromSeconds(61));
        var later = (await SnapshotAsync(dashboard, "processes"))["topics"]!["processes"]!;

        Assert.Equal(("worker", "running", "worker:w1"), ((string?)Row(alive, key)["info"]!["kind"], (string?)Row(alive, key)["info"]!["state"], (string?)Row(alive, key)["info"]!["log"]));
        Assert.Equal(("exited", "killed by signal 9"), ((string?)Row(dead, key)["info"]!["state"], (string?)Row(dead, key)["info"]!["exit_reason"]));
        Assert.Null(Value(dead, Row(dead, key), "rss_mib"));
        Assert.DoesNotContain(later["rows"]!.AsArray(), row => (string?)row!["key"] == key);
    }

    [Fact]
    public async Task Snapshot_ChildOfAWorker_IsShown()
    {
        using var child = Process.Start(new ProcessStartInfo("sleep", "600"))!;
        try
        {
            await using var dashboard = await StartAsync();

            var table = (await SnapshotAsync(dashboard, "processes"))["topics"]!["processes"]!;

            var info = Row(table, child.Id.ToString(null, null))["info"]!;
            Assert.Equal(("child", "sleep", "sleep 600"), ((string?)info["kind"], (string?)info["name"], (string?)info["command"]));
        }
        finally
        {
            child.Kill();
        }
    }

    [Fact]
    public async Task Snapshot_Gpu_IsAssignedToItsProcesses()
    {
        _source.Gpu = new([new(0, "H200", 8L << 30, 2L << 30, 0.5)], [new(Environment.ProcessId, 1L << 30, 0.25)]);
        await using var dashboard = await StartAsync();

        var topics = (await SnapshotAsync(dashboard, "processes,nodes"))["topics"]!;

        var row = Row(topics["processes"]!, Environment.ProcessId.ToString(null, null));
        Assert.Equal((25, 1024), (Value(topics["processes"]!, row, "gpu"), Value(topics["processes"]!, row, "gpu_memory_mib")));
        var node = Row(topics["nodes"]!, "node-a");
        Assert.Equal((50, 2048), (Value(topics["nodes"]!, node, "gpu"), Value(topics["nodes"]!, node, "gpu_memory_used_mib")));
        Assert.Equal("H200", (string?)node["info"]!["gpus"]![0]!["name"]);
        Assert.Equal(1.5, Value(topics["nodes"]!, node, "resources_reserved_cpu"));
    }

    [Fact]
    public async Task Snapshot_Applications_ContainsLoadOfEachLevel()
    {
        _source.Deploy(FakeDashboardSource.Application("shop", "r1", "r2"));
        _source.Models.Add(new("digits", "READY", "", "shop"));
        await using var dashboard = await StartAsync();
        SetRequests(0, 0);
        await SnapshotAsync(dashboard, "replicas");
        SetRequests(30, 10);
        dashboard.Time.Advance(TimeSpan.FromSeconds(2));

        var topics = (await SnapshotAsync(dashboard, "applications,deployments,replicas,models"))["topics"]!;

        Assert.Equal(20, Value(topics["applications"]!, Row(topics["applications"]!, "shop"), "rps"));
        Assert.Equal(20, Value(topics["deployments"]!, Row(topics["deployments"]!, "shop/D"), "rps"));
        Assert.Equal(15, Value(topics["replicas"]!, Row(topics["replicas"]!, "shop#D#r1"), "rps"));
        Assert.Equal(5, Value(topics["replicas"]!, Row(topics["replicas"]!, "shop#D#r2"), "rps"));
        Assert.Equal(20, Value(topics["models"]!, Row(topics["models"]!, "digits"), "rps"));
        Assert.Equal(2, Value(topics["deployments"]!, Row(topics["deployments"]!, "shop/D"), "replicas_running"));
        Assert.Equal("HEALTHY", (string?)Row(topics["deployments"]!, "shop/D")["info"]!["status"]);
    }

    [Fact]
    public async Task Events_SinceASnapshot_SendsChangesAndResumes()
    {
        _source.Deploy(FakeDashboardSource.Application("shop", "r1"));
        await using var dashboard = await StartAsync();
        var version = (string)(await SnapshotAsync(dashboard, "applications"))["version"]!;
        _source.Deploy(FakeDashboardSource.Application("shop", "r1"), FakeDashboardSource.Application("blog", "r1"));
        dashboard.Time.Advance(TimeSpan.FromSeconds(1));
        await SnapshotAsync(dashboard, "applications");

        var (first, id) = await ReadEventsAsync(dashboard, $"/api/v1/events?topics=applications&since={version}");
        _source.Deploy(FakeDashboardSource.Application("shop", "r1"));
        dashboard.Time.Advance(TimeSpan.FromSeconds(1));
        await SnapshotAsync(dashboard, "applications");
        var (second, _) = await ReadEventsAsync(dashboard, $"/api/v1/events?topics=applications&since={version}", ("Last-Event-ID", id!));

        Assert.Equal("blog", (string?)JsonNode.Parse(first["applications"])!["added"]![0]!["key"]);
        Assert.Equal("[2]", JsonNode.Parse(second["applications"])!["removed"]!.ToJsonString());
    }

    [Fact]
    public async Task Events_VersionOfAnotherStart_SendsReset()
    {
        await using var dashboard = await StartAsync();

        using var response = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/events?topics=nodes&since=00000000-5");

        Assert.Equal("event: reset\ndata: {}\n\n", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/api/v1/events?topics=nodes,unknown")]
    [InlineData("/api/v1/snapshot")]
    [InlineData("/api/v1/series?topic=nodes&columns=unknown")]
    [InlineData("/api/v1/series?topic=nodes&range=17")]
    public async Task Get_InvalidQuery_ThrowsDefinitionException(string path)
    {
        await using var dashboard = await StartAsync();

        // The admin API converts the exception to a problem document; the server of this test does not.
        using var response = await dashboard.SendAsync(HttpMethod.Get, path);

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
    }

    [Fact]
    public async Task Sampler_NobodyLooks_SamplesEachTenSeconds()
    {
        await using var dashboard = await StartAsync();
        Assert.Equal(0, _source.Collections);

        for (var second = 0; second < 60; second++)
        {
            dashboard.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20);
        }

        Assert.InRange(_source.Collections, 3, 6);
    }

    [Fact]
    public async Task Sampler_WhileWatched_SamplesEachSecondAndKeepsHistory()
    {
        await using var dashboard = await StartAsync();
        using var stream = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/events?topics=applications,nodes");

        for (var second = 0; second < 30; second++)
        {
            dashboard.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(30);
        }

        Assert.InRange(_source.Collections, 12, 31);
        using var response = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/series?topic=nodes&columns=memory_used_mib");
        var series = (await response.Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal((1, "node-a"), ((int)series["step"]!, (string?)series["series"]![0]!["key"]));
        Assert.True(series["series"]![0]!["values"]!.AsArray().Count(value => value is not null) >= 10);
    }

    private Task<DashboardTestFixture> StartAsync() => DashboardTestFixture.StartAsync(token: null, configure: services => services.AddSingleton<IDashboardSource>(_source));

    private void SetRequests(int first, int second) => _source.Metrics = $$"""
        serve_deployment_request_counter_total{application="shop",deployment="D",replica="shop#D#r1",route="/"} {{first}}
        serve_deployment_request_counter_total{application="shop",deployment="D",replica="shop#D#r2",route="/"} {{second}}
        """;

    private static async Task<JsonNode> SnapshotAsync(DashboardTestFixture dashboard, string topics)
    {
        using var response = await dashboard.SendAsync(HttpMethod.Get, "/api/v1/snapshot?topics=" + topics);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    private static JsonNode Row(JsonNode table, string key) => table["rows"]!.AsArray().Single(row => (string?)row!["key"] == key)!;

    private static double? Value(JsonNode table, JsonNode row, string column) =>
        (double?)row["values"]![table["columns"]!.AsArray().Select((name, index) => (Name: (string?)name, index)).Single(each => each.Name == column).index];

    // Reads up to the first tick.
    private static async Task<(Dictionary<string, string> Events, string? Id)> ReadEventsAsync(DashboardTestFixture dashboard, string path, params (string, string)[] headers)
    {
        using var response = await dashboard.SendAsync(HttpMethod.Get, path, null, headers);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Dictionary<string, string> events = [];
        string? name = null, id = null;
        while (await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                events[name!] = line[6..];
            if (line.Length == 0 && name == "tick")
                break;
        }

        return (events, id);
    }
}
