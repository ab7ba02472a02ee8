using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Serve.Dashboard.Tests;

/// <summary>The dashboard of a program that calls <c>Cluster.Init</c>.</summary>
public sealed class ProgramDashboardTests
{
    [Fact]
    public async Task Init_Dashboard_ShowsTasksAndCancelsThem()
    {
        await using var cluster = await Cluster.Init(new() { NumCpus = 2, Observable = false, Dashboard = true, DashboardPort = 0 });
        using var begun = new ManualResetEventSlim();
        var waiting = cluster.Run(async stop =>
        {
            begun.Set();
            await Task.Delay(Timeout.Infinite, stop);
        });
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));
        using var browser = new HttpClient(new HttpClientHandler { CookieContainer = new() }) { BaseAddress = new(cluster.DashboardUrl!.Split('#')[0]) };
        browser.DefaultRequestHeaders.Add("Serve-Dashboard", "1");

        var stranger = await browser.GetAsync("/api/v0/tasks");
        // The address is printed once, and used by each browser.
        foreach (var attempt in new[] { 1, 2 })
            Assert.Equal(HttpStatusCode.NoContent, (await browser.PostAsJsonAsync("/api/v1/session", new { code = cluster.DashboardUrl.Split("#code=")[1] })).StatusCode);
        var session = (await browser.GetFromJsonAsync<JsonNode>("/api/v1/session"))!;
        var tasks = (await browser.GetFromJsonAsync<JsonNode>("/api/v0/tasks?state=RUNNING"))!["data"]!["result"]!["result"]!.AsArray();
        var processes = (await browser.GetFromJsonAsync<JsonNode>("/api/v1/snapshot?topics=processes,applications"))!["topics"]!;
        var canceled = await browser.PostAsJsonAsync($"/api/v1/tasks/{tasks[0]!["task_id"]}/cancel", new { force = false });
        var wrong = await browser.GetAsync("/api/v0/tasks?limit=0");

        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
        Assert.Equal("program", (string?)session["kind"]);
        Assert.Single(tasks);
        Assert.Contains(processes["processes"]!["rows"]!.AsArray(), row => (string?)row!["key"] == $"{Environment.ProcessId}");
        Assert.Empty(processes["applications"]!["rows"]!.AsArray());
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.BadRequest), (canceled.StatusCode, wrong.StatusCode));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Init_RequestedPortInUse_Throws()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        await Assert.ThrowsAsync<IOException>(() => Cluster.Init(new() { Observable = false, Dashboard = true, DashboardPort = ((IPEndPoint)taken.LocalEndpoint).Port }));
    }

    [Fact]
    public async Task Dispose_Dashboard_StopsIt()
    {
        var cluster = await Cluster.Init(new() { Observable = false, Dashboard = true, DashboardPort = 0 });
        using var browser = new HttpClient { BaseAddress = new(cluster.DashboardUrl!.Split('#')[0]) };
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/")).StatusCode);

        await cluster.DisposeAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => browser.GetAsync("/"));
    }

    [Fact]
    public async Task Init_NoDashboard_HasNoAddress()
    {
        await using var cluster = await Cluster.Init(new() { Observable = false });

        Assert.Null(cluster.DashboardUrl);
    }
}
