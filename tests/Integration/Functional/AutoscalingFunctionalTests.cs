using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Replicas that follow the load of a real node, from and to zero, without a failed request.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class AutoscalingFunctionalTests(SamplePackageFixture packages)
{
    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Request_DeploymentAtZero_IsAnsweredByTheFirstReplica(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await DeployAsync(node, new() { MinReplicas = 0, MaxReplicas = 2, DownscaleToZeroDelayS = 0.3 });
        for (var round = 0; round < 3; round++)
        {
            await node.WaitForReplicasAsync(0);
            Assert.All((await node.Admin.GetNodesAsync()).Nodes.Single().Workers, worker => Assert.Equal("spare", worker.Label));
            Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
        }

        var status = await node.CliAsync("status");
        Assert.Contains("autoscaling: ", status.Output, StringComparison.Ordinal);
        Assert.Contains("    last scaled ", status.Output, StringComparison.Ordinal);
        var decisions = (await node.Admin.GetApplicationAsync("lab")).Deployments["Lab"].AutoscalingDetail!.Decisions;
        Assert.Equal(3, decisions.Count(decision => decision is { PrevNumReplicas: 0, CurrNumReplicas: 1, Reason: "a request waits and there is no replica" }));
    }

    [Fact]
    public async Task ScaleToZero_RequestsAtAnyMoment_NoneFails()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await DeployAsync(node, new() { MinReplicas = 0, MaxReplicas = 2, DownscaleToZeroDelayS = 0 });
        var random = new Random(1);
        for (var request = 0; request < 40; request++)
        {
            Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
            await Task.Delay(random.Next(0, 250));
        }

        var decisions = (await node.Admin.GetApplicationAsync("lab")).Deployments["Lab"].AutoscalingDetail!.Decisions;
        Assert.Contains(decisions, decision => decision.CurrNumReplicas == 0);
    }

    [Fact]
    public async Task Load_IncreasesAndDecreases_ReplicasFollowWithoutAFailedRequest()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await DeployAsync(node, new() { MaxReplicas = 4, TargetOngoingRequests = 2, UpscaleDelayS = 0, DownscaleDelayS = 0.5, LookBackPeriodS = 1 });
        await using var few = new RequestLoadGenerator(node, 2, "/lab/slow?ms=50");
        await using (var many = new RequestLoadGenerator(node, 8, "/lab/slow?ms=50"))
        {
            await node.WaitForReplicasAsync(4);
            await many.WaitForAnswersAsync(50);
            await many.StopAsync();
            Assert.Empty(many.Failures);
        }

        await node.WaitForReplicasAsync(1);
        await few.WaitForAnswersAsync(10);
        await few.StopAsync();
        Assert.Empty(few.Failures);
        Assert.Contains("serve_autoscaling_target_replicas{application=\"lab\",deployment=\"Lab\"} 1", await node.GetAdminTextAsync("/metrics"), StringComparison.Ordinal);
    }

    private Task DeployAsync(TestNodeProcess node, AutoscalingOptions autoscaling) => node.DeployAsync(packages.Lab, new DeploymentOptions { AutoscalingConfig = autoscaling });
}
