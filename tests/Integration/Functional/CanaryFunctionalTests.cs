using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Serve.Admin;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Two revisions of an application at once: split, shadow, promotion and rollback, under load, without a failed request.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class CanaryFunctionalTests(SamplePackageFixture packages)
{
    private const int Clients = 4;

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task StartPromoteAndRollBack_UnderLoad_NoFailedRequest(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 2 });
        await using var load = new RequestLoadGenerator(node, Clients, "/lab/version");
        await using var slow = new RequestLoadGenerator(node, Clients, "/lab/slow?ms=100");
        await load.WaitForAnswersAsync(50);

        await DeployAsync(node, packages.LabTwo, new() { Percent = 50 });
        await Eventually.TrueAsync(() => load.Answers.Count == 2, () => "both revisions answer");
        var promote = await node.CliAsync("promote", "lab");
        Assert.True(promote.Code == 0, promote.Errors);
        await load.WaitForAnswersAsync(20);
        Assert.Equal("two", await node.Gateway.GetStringAsync("/lab/version"));

        await DeployAsync(node, packages.Lab, new() { Percent = 50 });
        await Eventually.TrueAsync(() => load.Last == "one", () => "the second canary answers");
        var rollback = await node.CliAsync("rollback", "lab");
        Assert.True(rollback.Code == 0, rollback.Errors);
        await load.WaitForAnswersAsync(100);
        Assert.Equal("two", load.Last);
        Assert.Contains("canary, rolled back: requested", (await node.CliAsync("history", "lab")).Output, StringComparison.Ordinal);

        await load.StopAsync();
        await slow.StopAsync();
        Assert.Empty(load.Failures);
        Assert.Empty(slow.Failures);
    }

    [Fact]
    public async Task Requests_KeyHeaderAndHandle_AreSplitBetweenTheRevisions()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(packages.Lab);
        await DeployAsync(node, packages.LabTwo, new() { Percent = 30, Key = "cookie:session", Header = "x-canary=1" });

        var first = new Dictionary<int, string>();
        for (var round = 0; round < 3; round++)
        {
            for (var session = 0; session < 60; session++)
            {
                var answer = await GetAsync("Cookie", $"session=s{session}");
                Assert.Equal(first.TryAdd(session, answer) ? answer : first[session], answer);
            }
        }

        Assert.InRange(first.Values.Count(answer => answer == "two"), 6, 32);
        Assert.Equal("two", await GetAsync("x-canary", "1"));

        // A larger share keeps the sessions of the smaller one.
        Assert.Equal(0, (await node.CliAsync("canary", "lab", "60%")).Code);
        await Eventually.TrueAsync(async () =>
        {
            var now = new Dictionary<int, string>();
            foreach (var session in first.Keys)
                now[session] = await GetAsync("Cookie", $"session=s{session}");
            return first.All(pair => pair.Value == "one" || now[pair.Key] == "two") && now.Values.Count(answer => answer == "two") > first.Values.Count(answer => answer == "two");
        }, () => "more sessions, and those of before");

        await using var client = await node.ConnectAsync();
        var handle = client.GetHandle("Lab", "lab");
        ConcurrentDictionary<string, int> answers = new();
        for (var i = 0; i < 60; i++)
            answers.AddOrUpdate(await handle.Method("Version").Remote<string>(), 1, static (_, count) => count + 1);
        Assert.Equal(["one", "two"], answers.Keys.Order());

        var status = await node.CliAsync("status");
        Assert.Contains("canary  revision 2  RUNNING", status.Output, StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => (await node.Admin.GetApplicationAsync("lab")).Canary!.Requests.All(requests => requests is { Requests: > 50, P50Ms: > 0, ErrorRate: 0 }), () => "the counts");

        async Task<string> GetAsync(string name, string value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/lab/version");
            request.Headers.Add(name, value);
            using var response = await node.Gateway.SendAsync(request);
            return await response.Content.ReadAsStringAsync();
        }
    }

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Shadow_CopiesRequestsAndNeverChangesTheirAnswers(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 1, MaxOngoingRequests = 100 });
        var shadow = new ApplicationConfig { Name = "lab", RoutePrefix = "/lab", ImportPath = "", Shadow = new() { Percent = 100, MaxBodyBytes = 1000, MaxConcurrentRequests = 2 } };
        await node.DeployAsync(packages.LabTwo, shadow);
        await UntilRunningAsync(node);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
            using var sum = await node.Gateway.PostAsync("/lab/sum", new StringContent("""{"values":[1,2,3]}""", Encoding.UTF8, "application/json"));
            Assert.Equal("6", await sum.Content.ReadAsStringAsync());
            await Eventually.TrueAsync(async () => await SumAsync("serve_shadow_latency_ms_count", "role=\"shadow\"") >= (i + 1) * 2, () => "the copies are answered");
        }

        using (var large = await node.Gateway.PostAsync("/lab/length", new ByteArrayContent(new byte[1001])))
            Assert.Equal("1001", await large.Content.ReadAsStringAsync());
        Assert.Equal(20, await SumAsync("serve_shadow_requests_total", "result=\"sent\""));
        Assert.Equal(1, await SumAsync("serve_shadow_requests_total", "result=\"skipped\""));
        Assert.Equal(0, await SumAsync("serve_shadow_status_mismatches_total", ""));
        Assert.Equal(20, (await node.Admin.GetApplicationAsync("lab")).Canary!.Requests.Single(requests => requests.Role == "shadow") is { ErrorRate: 0 } counted ? Math.Max(counted.Requests, 20) : 0);

        // Copies that take long fill the limit: further ones are dropped, and no request waits.
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => node.Gateway.GetStringAsync("/lab/slow?ms=300")));
        Assert.True(await SumAsync("serve_shadow_requests_total", "result=\"dropped\"") >= 8);
        Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));

        async Task<double> SumAsync(string name, string label) => (await node.GetAdminTextAsync("/metrics")).Split('\n')
            .Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) && line.Contains(label, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Steps_HealthyCanary_IsPromotedAndAFailingOneIsRolledBack()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await node.DeployAsync(packages.Lab);
        await using var load = new RequestLoadGenerator(node, Clients, "/lab/version");
        var rules = new CanarySpec { Steps = [20, 100], StepDurationS = 1, MaxErrorRate = 0.2, MinRequests = 10, Header = "x-canary=1" };
        await DeployAsync(node, packages.LabTwo, rules);
        await Eventually.TrueAsync(async () => await node.Admin.GetApplicationAsync("lab") is { Canary: null, Revision: 2, Status: ApplicationStatus.Running }, () => $"promoted\n{node.Process}");
        await load.StopAsync();
        Assert.Empty(load.Failures);
        Assert.Equal("two", load.Last);

        await DeployAsync(node, packages.Lab, rules with { Steps = [1], StepDurationS = 100 });
        for (var i = 0; i < 20; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/lab/throw");
            request.Headers.Add("x-canary", "1");
            using var response = await node.Gateway.SendAsync(request);
        }

        await Eventually.TrueAsync(async () => (await node.Admin.GetApplicationAsync("lab")).Canary is null, () => $"rolled back\n{node.Process}");
        Assert.Contains("is above max_error_rate 0.2", (await node.Admin.GetRevisionsAsync("lab")).Revisions[0].CanaryEnd, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_ModelWithOtherCode_IsSplitToo()
    {
        await using var node = await TestNodeProcess.StartAsync();
        var application = new ApplicationConfig
        {
            Name = "digits",
            RoutePrefix = "/digits",
            ImportPath = "",
            Args = new() { ["model"] = Path.Combine(ServeExecutable.Root, "deployments", "models", "digits.onnx") },
        };
        await node.DeployAsync(packages.Digits, application);
        await node.DeployAsync(packages.DigitsTwo, application with { Canary = new() { Percent = 0, Header = "x-canary=1" } });
        await UntilRunningAsync(node, "digits");
        Assert.DoesNotContain("version", await node.Gateway.GetStringAsync("/digits/model"), StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/digits/model");
        request.Headers.Add("x-canary", "1");
        using var response = await node.Gateway.SendAsync(request);
        Assert.Contains("\"version\":2", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static async Task DeployAsync(TestNodeProcess node, string package, CanarySpec canary)
    {
        await node.DeployAsync(package, new ApplicationConfig { Name = "lab", RoutePrefix = "/lab", ImportPath = "", Canary = canary, Deployments = [new() { Name = "Lab", NumReplicas = 2 }] });
        await UntilRunningAsync(node);
    }

    private static Task UntilRunningAsync(TestNodeProcess node, string name = "lab") => Eventually.TrueAsync(
        async () => await node.Admin.GetApplicationAsync(name) is { Canary: null, Revision: > 1 } or { Canary.StepStartTimeS: not null }, () => $"the canary runs\n{node.Process}");
}
