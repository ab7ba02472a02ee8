using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Serve.Controller.Logs;

namespace Serve.Controller.Tests;

public sealed class NodeLogTests
{
    [Fact]
    public async Task Get_AllProcesses_MergesThemByTime()
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        Replica(admin, "shop", "Cart", "aaaaaaaa", "2026-01-01 00:00:01.000 INFO shop#Cart#aaaaaaaa - Cat: one\n2026-01-01 00:00:04.000 ERROR shop#Cart#aaaaaaaa - Cat: four\n  at stack\n");
        Worker(admin, "w1", "2026-01-01T00:00:02.000Z warn Serve.Runtime: two\n2026-01-01T00:00:01.500Z info shop#Cart#aaaaaaaa Cat: one\n");
        admin.Logs.CreateLogger("Serve.Node").LogInformation("three");

        var lines = await LinesAsync(admin, "");

        Assert.Equal(
            ["info replica:shop#Cart#aaaaaaaa shop#Cart#aaaaaaaa - Cat: one", "warning worker:w1 Serve.Runtime: two", "error replica:shop#Cart#aaaaaaaa shop#Cart#aaaaaaaa - Cat: four", "error replica:shop#Cart#aaaaaaaa   at stack", "info node Serve.Node: three"],
            lines.Select(line => $"{line["level"]} {line["source"]} {line["text"]}").OrderBy(text => text.StartsWith("info node", StringComparison.Ordinal)));
        Assert.Equal("2026-01-01T00:00:02.000Z", (string?)lines.Single(line => (string?)line["source"] == "worker:w1")["time"]);
    }

    [Theory]
    [InlineData("?level=warning", "two,four,stack")]
    [InlineData("?level=error", "four,stack")]
    [InlineData("?q=FOUR", "four")]
    [InlineData("?application=shop&deployment=Cart", "one,four,stack")]
    [InlineData("?replica=aaaaaaaa&tail=1", "stack")]
    [InlineData("?source=worker:w1", "one,two")]
    [InlineData("?source=worker:w1&source=node", "one,two")]
    [InlineData("?source=unknown", "")]
    public async Task Get_Filtered_ReturnsMatchingLines(string query, string expected)
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        Replica(admin, "shop", "Cart", "aaaaaaaa", "2026-01-01 00:00:01.000 INFO shop#Cart#aaaaaaaa - Cat: one\n2026-01-01 00:00:04.000 ERROR shop#Cart#aaaaaaaa - Cat: four\n  at stack\n");
        Worker(admin, "w1", "2026-01-01T00:00:01.500Z info shop#Cart#aaaaaaaa Cat: one\n2026-01-01T00:00:02.000Z warn Serve.Runtime: two\n");

        var lines = await LinesAsync(admin, query);

        Assert.Equal(expected, string.Join(',', lines.Select(line => ((string)line["text"]!).Split(' ')[^1])));
    }

    [Fact]
    public async Task Get_HostileLines_StayBoundedText()
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        var long1 = new string('x', 1 << 20);
        Replica(admin, "shop", "Cart", "aaaaaaaa", $"2026-01-01 00:00:01.000 INFO c: <script>alert(1)</script>\u001b[31m\0\n2026-01-01 00:00:02.000 INFO c: {long1}\nlast\n");

        var lines = await LinesAsync(admin, "");

        Assert.Equal("c: <script>alert(1)</script>\uFFFD[31m\uFFFD", (string?)lines[0]["text"]);
        Assert.Equal((NodeLogLine.MaxLength, true), (((string)lines[1]["text"]!).Length, (bool)lines[1]["cut"]!));
        Assert.Equal("last", (string?)lines[2]["text"]);
    }

    [Fact]
    public async Task Get_LargeFile_ReadsItsEndOnly()
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        var text = new StringBuilder();
        for (var number = 0; number < 400_000; number++)
            text.Append("2026-01-01 00:00:01.000 INFO c: line number ").Append(number).Append('\n');
        Replica(admin, "shop", "Cart", "aaaaaaaa", text.ToString());

        var end = await admin.Client.GetFromJsonAsync<JsonNode>("/api/v1/logs?tail=2");
        var start = await admin.Client.GetFromJsonAsync<JsonNode>("/api/v1/logs?q=number%200&tail=5");

        Assert.Equal(["c: line number 399998", "c: line number 399999"], end!["lines"]!.AsArray().Select(line => (string?)line!["text"]));
        // The first lines are more than 8 MiB before the end.
        Assert.Empty(start!["lines"]!.AsArray());
        Assert.True((bool)start["is_truncated"]!);
    }

    [Fact]
    public async Task GetSources_RunningAndStopped_AreListedWithTheirProcess()
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        Replica(admin, "gone", "Old", "bbbbbbbb", "x\n");
        Worker(admin, "w1", "y\n");

        var sources = (await admin.Client.GetFromJsonAsync<JsonNode>("/api/v1/logs/sources"))!["sources"]!.AsArray();

        var old = sources.Single(source => (string?)source!["id"] == "replica:gone#Old#bbbbbbbb")!;
        Assert.Equal(("gone", "Old", false, 2), ((string?)old["application"], (string?)old["deployment"], (bool)old["is_running"]!, (int)old["bytes"]!));
        Assert.Equal("w1", (string?)sources.Single(source => (string?)source!["kind"] == "worker")!["worker_id"]);
        Assert.Equal(Environment.ProcessId, (int)sources.Single(source => (string?)source!["id"] == "node")!["pid"]!);
    }

    [Fact]
    public async Task Stream_NewLinesAndNewReplicas_AreSent()
    {
        await using var admin = await AdminApiTestFixture.StartAsync();
        Replica(admin, "shop", "Cart", "aaaaaaaa", "2026-01-01 00:00:01.000 INFO c: before\n");
        using var response = await admin.Client.GetAsync("/api/v1/logs/stream?tail=1", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Contains("before", await DataAsync(reader), StringComparison.Ordinal);

        Replica(admin, "shop", "Cart", "aaaaaaaa", "2026-01-01 00:00:02.000 WARN c: appended\n");
        Replica(admin, "shop", "Cart", "cccccccc", "2026-01-01 00:00:03.000 INFO c: started later\n");
        admin.Logs.CreateLogger("Serve.Node").LogWarning("of the node");

        var seen = "";
        while (!(seen.Contains("appended", StringComparison.Ordinal) && seen.Contains("started later", StringComparison.Ordinal) && seen.Contains("of the node", StringComparison.Ordinal)))
            seen += await DataAsync(reader);
        Assert.DoesNotContain("before", seen, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("?level=loud")]
    [InlineData("?tail=5001")]
    [InlineData("?process=x")]
    public async Task Get_InvalidQuery_Returns400(string query)
    {
        await using var admin = await AdminApiTestFixture.StartAsync();

        Assert.Equal(HttpStatusCode.BadRequest, (await admin.Client.GetAsync("/api/v1/logs" + query)).StatusCode);
    }

    private static async Task<string> DataAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)) is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                return line;
        }

        throw new EndOfStreamException();
    }

    private static async Task<List<JsonNode>> LinesAsync(AdminApiTestFixture admin, string query) =>
        [.. (await admin.Client.GetFromJsonAsync<JsonNode>("/api/v1/logs" + query))!["lines"]!.AsArray().OfType<JsonNode>()];

    private static void Replica(AdminApiTestFixture admin, string application, string deployment, string suffix, string text) =>
        Append(Path.Combine(admin.Node.State.Logs, application, deployment, suffix, "replica.log"), text);

    private static void Worker(AdminApiTestFixture admin, string id, string text) =>
        Append(Path.Combine(admin.Node.State.Logs, "workers", $"{id}-20260101T000000000.log"), text);

    private static void Append(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.AppendAllText(file, text);
    }
}
