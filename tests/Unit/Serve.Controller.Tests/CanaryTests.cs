using System.Text;
using Serve.Admin;
using Serve.Controller.Applications;
using Serve.Nodes;
using Serve.Specs;

namespace Serve.Controller.Tests;

public sealed class CanaryTests
{
    [Fact]
    public async Task Deploy_Canary_RunsBothRevisionsUntilItIsPromoted()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        await DeployCanaryAsync(node, "Counter@2", new() { Percent = 10 });
        await UntilCanaryRunsAsync(node);

        var details = node.Controller.GetDetails("counter")!;
        Assert.Equal(("Counter@1", 1, 2), (details.CodeHash, details.Revision, details.Canary!.Revision));
        Assert.Equal([("stable", 1, 90.0), ("canary", 2, 10.0)], details.Canary.Requests.Select(requests => (requests.Role, requests.Revision, requests.Percent)));
        Assert.Equal(["counter"], node.Controller.GetDetails().Applications.Keys);
        Assert.Equal([(2, false, true), (1, true, false)], node.Controller.GetRevisions("counter")!.Revisions.Select(revision => (revision.Revision, revision.IsCurrent, revision.IsCanary)));
        Assert.Contains("serve_canary_percent{application=\"counter\"} 10", await MetricsAsync(node), StringComparison.Ordinal);

        Assert.True(await node.Controller.ChangeCanaryAsync("counter", 25, CancellationToken.None));
        Assert.Equal(25, node.Controller.GetDetails("counter")!.Canary!.Percent);
        Assert.True(await node.Controller.PromoteAsync("counter", CancellationToken.None));
        await node.UntilAsync(() => node.Controller.GetDetails("counter") is { Canary: null, CodeHash: "Counter@2", Status: ApplicationStatus.Running } && node.Agent.Actors.Count == 1, runClock: true);
        Assert.DoesNotContain("serve_canary_percent{", await MetricsAsync(node), StringComparison.Ordinal);
        Assert.Contains("serve_canary_decisions_total{application=\"counter\",decision=\"promote\"} 1", await MetricsAsync(node), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReportRequests_TooManyErrors_RollsBackAndSaysWhy()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1");
        await node.UntilAsync("counter", ApplicationStatus.Running);
        await DeployCanaryAsync(node, "Counter@2", new() { Steps = [10, 100], MaxErrorRate = 0.1, MinRequests = 10 });
        await UntilCanaryRunsAsync(node);
        await node.Controller.ReportRequestsAsync(node.Options.NodeId, "p", "counter", new() { Revision = 2, Canary = new(9, 9, [9]), Stable = new(50, 0, [50]) });
        await node.UntilAsync(() => node.Controller.GetDetails("counter")?.Canary?.Requests[1].Requests == 9);
        Assert.StartsWith("step 1 of 2", node.Controller.GetDetails("counter")!.Canary!.Reason, StringComparison.Ordinal);
        await node.Controller.ReportRequestsAsync(node.Options.NodeId, "p", "counter", new() { Revision = 2, Canary = new(10, 9, [10]), Stable = new(50, 0, [50]) });
        await node.UntilAsync(() => node.Controller.GetDetails("counter")?.Canary is null && node.Agent.Actors.Count == 1, runClock: true);
        Assert.Equal("rolled back: error rate 0.9 of 10 requests is above max_error_rate 0.1", node.Controller.GetRevisions("counter")!.Revisions[0].CanaryEnd);
        Assert.Equal("Counter@1", node.Controller.GetDetails("counter")!.CodeHash);
    }

    [Fact]
    public async Task Restart_CanaryInAStep_ContinuesAndCanBeEnded()
    {
        var folder = Directory.CreateTempSubdirectory("serve-test-").FullName;
        await using (var first = await ControllerTestFixture.StartAsync(folder))
        {
            first.KeepFolder = true;
            await first.DeployAsync("counter", "Counter@1");
            await first.UntilAsync("counter", ApplicationStatus.Running);
            await DeployCanaryAsync(first, "Counter@2", new() { Steps = [10, 50], StepDurationS = 60 });
            await UntilCanaryRunsAsync(first);
            first.Clock.Advance(TimeSpan.FromSeconds(61));
            await first.UntilAsync(() => first.Controller.GetDetails("counter")?.Canary is { Step: 2, Percent: 50 });
        }

        await using var second = await ControllerTestFixture.StartAsync(folder);
        var canary = second.Controller.GetDetails("counter")!.Canary!;
        Assert.Equal((2, 50), (canary.Step, canary.Percent));
        Assert.Equal([(10.0, 50.0), (0.0, 10.0)], canary.Decisions.Select(decision => (decision.PrevPercent, decision.CurrPercent)));
        Assert.True(await second.Controller.RollBackAsync("counter", null, CancellationToken.None));
        await second.UntilAsync(() => second.Controller.GetDetails("counter") is { Canary: null, Status: ApplicationStatus.Running, CodeHash: "Counter@1" } && second.Agent.Actors.Count == 1, runClock: true);
    }

    [Fact]
    public async Task RollBack_CanaryThatNeverCameUp_EndsIt()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1");
        await node.UntilAsync("counter", ApplicationStatus.Running);
        node.Agent.OnCreate = start => start.PackageHash == "Counter@2" ? throw new ActorCreationException(new(start.ReplicaId), "broken") : Task.CompletedTask;
        await DeployCanaryAsync(node, "Counter@2", new() { Percent = 10 });
        await node.UntilAsync(() => node.Controller.GetDetails("counter")?.Canary?.Status == ApplicationStatus.DeployFailed, runClock: true);
        Assert.Equal(ApplicationStatus.Running, node.Controller.GetDetails("counter")!.Status);

        Assert.True(await node.Controller.RollBackAsync("counter", null, CancellationToken.None));
        await node.UntilAsync(() => node.Controller.GetDetails("counter")?.Canary is null && node.Agent.Actors.Count == 1, runClock: true);
    }

    [Fact]
    public async Task Deploy_ConfigWithoutCanary_PromotesItsRevisionAndEndsAnother()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1");
        await DeployCanaryAsync(node, "Counter@2", new() { Percent = 10 });
        await UntilCanaryRunsAsync(node);
        await node.DeployAsync("counter", "Counter@2");
        await node.UntilAsync(() => node.Controller.GetDetails("counter") is { Canary: null, CodeHash: "Counter@2", Status: ApplicationStatus.Running }, runClock: true);
        Assert.Equal([2, 1], node.Controller.GetRevisions("counter")!.Revisions.Select(revision => revision.Revision));

        await DeployCanaryAsync(node, "Counter@3", new() { Percent = 10 });
        await UntilCanaryRunsAsync(node);
        await node.Controller.DeployAsync(new ServeConfig { Applications = [ControllerTestFixture.Config("counter", "Counter@2")] }, CancellationToken.None);
        await node.UntilAsync(() => node.Controller.GetDetails("counter") is { Canary: null, CodeHash: "Counter@2" } && node.Agent.Actors.Count == 1, runClock: true);
        Assert.Equal("ended: another revision was deployed without canary", node.Controller.GetRevisions("counter")!.Revisions[0].CanaryEnd);
    }

    [Fact]
    public async Task Deploy_InvalidCanary_ReportsOneClearErrorAndChangesNothing()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        Assert.Contains("a canary or shadow requires a deployed application 'counter', but there is none", await FailsAsync("Counter@2", new() { Percent = 10 }));
        await node.DeployAsync("counter", "Counter@1");
        Assert.Contains("route_prefix of a canary or shadow must be that of the running revision, '/Counter', but was '/other'", await FailsAsync("Counter@2", new() { Percent = 10 }, "/other"));
        Assert.Contains("counter: canary requires percent, header or steps.", await FailsAsync("Counter@2", new()));
        foreach (var action in (Func<Task>[])[() => node.Controller.PromoteAsync("counter", default), () => node.Controller.ChangeCanaryAsync("counter", 10, default)])
            Assert.StartsWith("Application 'counter' has no canary.", (await Assert.ThrowsAsync<DefinitionException>(action)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ApplicationNotFoundException>(() => node.Controller.PromoteAsync("nope", default));
        await Assert.ThrowsAsync<ApplicationNotFoundException>(() => node.Controller.PromoteAsync("counter@canary", default));
        Assert.Null(node.Controller.GetDetails("counter")!.Canary);
        Assert.Single(node.Controller.GetRevisions("counter")!.Revisions);

        async Task<string> FailsAsync(string code, CanarySpec canary, string? prefix = null) =>
            (await Assert.ThrowsAsync<DefinitionException>(() => DeployCanaryAsync(node, code, canary, prefix))).Message;
    }

    private static Task<bool> DeployCanaryAsync(ControllerTestFixture node, string code, CanarySpec canary, string? prefix = null) =>
        node.Controller.DeployAsync(ControllerTestFixture.Config("counter", code) with { Canary = canary, RoutePrefix = prefix }, CancellationToken.None);

    private static Task UntilCanaryRunsAsync(ControllerTestFixture node) =>
        node.UntilAsync(() => node.Controller.GetDetails("counter")?.Canary is { Status: ApplicationStatus.Running, StepStartTimeS: not null }, runClock: true);

    private static async Task<string> MetricsAsync(ControllerTestFixture node)
    {
        using var text = new MemoryStream();
        await node.Registry.CollectAndExportAsTextAsync(text);
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
