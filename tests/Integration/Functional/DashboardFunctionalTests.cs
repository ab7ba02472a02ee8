using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The dashboard of a real node, as its pages use it.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class DashboardFunctionalTests(SamplePackageFixture samples)
{
    // Samples are one second apart; the rest is for a machine that runs other tests.
    private static readonly TimeSpan SoonShown = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Node_DeployedCalledAndKilled_IsShownWithReasonsAndLogs()
    {
        await using var node = await TestNodeProcess.StartAsync();
        using var browser = await SignInAsync(node);
        await node.DeployAsync(samples.Chatty, new ApplicationConfig { Name = "chatty", RoutePrefix = "/chatty", ImportPath = "" });

        // Deployed.
        var pid = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                var topics = (await SnapshotAsync(browser, "applications,processes"))["topics"]!;
                var application = Rows(topics["applications"]!).SingleOrDefault(row => (string?)row["key"] == "chatty");
                var worker = Rows(topics["processes"]!).SingleOrDefault(row => (string?)row["info"]!["kind"] == "worker" && row["info"]!["replicas"]!.AsArray().Count > 0);
                pid = (int?)worker?["info"]!["pid"] ?? 0;
                return (string?)application?["info"]!["status"] == "RUNNING" && pid > 0;
            },
            () => "not shown", SoonShown);

        // Called, by the console.
        using var console = new HttpRequestMessage(HttpMethod.Post, "/api/v1/console") { Content = JsonContent.Create(new { path = "/chatty/console" }) };
        console.Headers.Add("Serve-Dashboard", "1");
        var answer = (await (await browser.SendAsync(console)).Content.ReadFromJsonAsync<JsonNode>())!;
        Assert.Equal(200, (int)answer["status"]!);
        JsonNode? logs = null;
        await Eventually.TrueAsync(
            async () => (logs = await browser.GetFromJsonAsync<JsonNode>("/api/v1/logs?q=A%20LINE%20ON%20STANDARD%20OUTPUT"))!["lines"]!.AsArray().Count > 0, () => $"{logs}");

        // Killed.
        Process.GetProcessById(pid).Kill();
        JsonNode? process = null;
        await Eventually.TrueAsync(
            async () => (string?)(process = Rows((await SnapshotAsync(browser, "processes"))["topics"]!["processes"]!).Single(row => (string?)row["key"] == $"{pid}"))["info"]!["state"] == "exited",
            () => $"{process}", SoonShown);
        await Eventually.TrueAsync(
            async () => ((string?)Rows((await SnapshotAsync(browser, "processes"))["topics"]!["processes"]!).Single(row => (string?)row["key"] == $"{pid}")["info"]!["exit_reason"])?.Length > 0, () => "no reason");
        await node.WaitForStatusAsync(Admin.ApplicationStatus.Running, "chatty");
        var decisions = (await browser.GetFromJsonAsync<JsonNode>("/api/v1/decisions?application=chatty&kind=start_replica"))!["decisions"]!.AsArray();
        Assert.True(decisions.Count >= 2, $"{decisions}");
        Assert.All(decisions, decision => Assert.NotEmpty((string)decision!["reason"]!));

        // The runtime's figures of the new worker arrive with the metrics.
        await Eventually.TrueAsync(
            async () => Rows((await SnapshotAsync(browser, "processes"))["topics"]!["processes"]!).Any(row => (string?)row["info"]!["kind"] == "worker" && (double?)row["values"]![9] > 0), () => "no heap");
    }

    [Fact]
    public async Task Node_PagesAndSession_NeedNoTokenButItsApiDoes()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None, null, "--dashboard-read-only");
        using var stranger = new HttpClient { BaseAddress = new(node.AdminAddress) };

        var page = await stranger.GetStringAsync("/applications/any");
        var refused = await stranger.GetAsync("/api/v1/snapshot?topics=nodes");
        using var browser = await SignInAsync(node);
        using var change = new HttpRequestMessage(HttpMethod.Post, "/api/v1/drain");
        change.Headers.Add("Serve-Dashboard", "1");
        var readOnly = await browser.SendAsync(change);

        Assert.Contains("<html", page, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, readOnly.StatusCode);
        Assert.Contains("paths", await stranger.GetStringAsync("/docs/v1/openapi.json"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_NoDashboard_RedirectsToTheDocumentation()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None, null, "--no-dashboard");
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = new(node.AdminAddress) };

        Assert.Equal("/docs", (await browser.GetAsync("/")).Headers.Location?.OriginalString);
        Assert.NotEqual(0, (await node.CliAsync("dashboard")).Code);
    }

    // Follows the link that 'serve dashboard' prints, as the pages do.
    private static async Task<HttpClient> SignInAsync(TestNodeProcess node)
    {
        var printed = await node.CliAsync("dashboard");
        Assert.Equal(0, printed.Code);
        var link = new Uri(printed.Output.Trim());
        Assert.StartsWith("#code=", link.Fragment, StringComparison.Ordinal);
        Assert.Equal("", link.Query);
        var browser = new HttpClient(new HttpClientHandler { CookieContainer = new() }) { BaseAddress = new(node.AdminAddress) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/session")
        {
            Content = new StringContent($$"""{"code":"{{link.Fragment["#code=".Length..]}}"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("Serve-Dashboard", "1");
        using var response = await browser.SendAsync(request);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        return browser;
    }

    private static async Task<JsonNode> SnapshotAsync(HttpClient browser, string topics) => (await browser.GetFromJsonAsync<JsonNode>("/api/v1/snapshot?topics=" + topics))!;

    private static IEnumerable<JsonNode> Rows(JsonNode table) => table["rows"]!.AsArray().OfType<JsonNode>();
}
