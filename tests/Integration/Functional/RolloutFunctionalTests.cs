using System.Net;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Rolling updates and scaling under load, without a failed request.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class RolloutFunctionalTests(SamplePackageFixture packages)
{
    private const int Clients = 4;

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Rollout_UnderLoad_NoFailedRequest(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 2 });
        await using var load = new RequestLoadGenerator(node, Clients, "/lab/version");
        await load.WaitForAnswersAsync(50);

        await node.DeployAsync(packages.LabTwo, new DeploymentOptions { NumReplicas = 2 });
        await Eventually.TrueAsync(() => load.Last == "two", () => "the new code answers");
        await node.DeployAsync(packages.LabTwo, new DeploymentOptions { NumReplicas = 2, Concurrency = ConcurrencyMode.Parallel });
        await load.WaitForAnswersAsync(50);

        await load.StopAsync();
        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task ScaleDown_UnderLoad_NoFailedRequest()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 4 });
        await using var load = new RequestLoadGenerator(node, Clients, "/lab/slow?ms=150");
        await load.WaitForAnswersAsync(30);

        await node.Admin.ScaleAsync(new DeploymentId("lab", "Lab"), 1);
        await node.WaitForReplicasAsync(1);
        await load.WaitForAnswersAsync(10);

        await load.StopAsync();
        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task Rollback_UnderLoad_PreviousCodeAnswersWithoutAFailedRequest()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 1 });
        await node.DeployAsync(packages.LabTwo, new DeploymentOptions { NumReplicas = 2 });
        await using var load = new RequestLoadGenerator(node, Clients, "/lab/version");
        await Eventually.TrueAsync(() => load.Last == "two", () => "the new code answers");

        var history = await node.CliAsync("history", "lab");
        Assert.Contains("current, running", history.Output, StringComparison.Ordinal);
        var diff = await node.CliAsync("diff", "lab");
        Assert.Contains("deployments.Lab.num_replicas: 1 -> 2", diff.Output, StringComparison.Ordinal);
        var rollback = await node.CliAsync("rollback", "lab", "--to", "1");
        Assert.True(rollback.Code == 0, rollback.Errors);
        Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
        Assert.Contains("has no revision 9", (await node.CliAsync("rollback", "lab", "--to", "9")).Errors, StringComparison.Ordinal);

        await load.StopAsync();
        Assert.Empty(load.Failures);
    }

    [Fact]
    public async Task Deploy_ConstructorThrows_CliPrintsMessage()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);

        var deploy = await node.CliAsync("deploy", packages.LabBroken, "--name", "lab");

        Assert.Equal(1, deploy.Code);
        Assert.Contains("DEPLOY_FAILED", deploy.Errors, StringComparison.Ordinal);
        Assert.Contains("the reactor is cold", deploy.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reconfigure_UserConfig_NoRestart()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(packages.Lab, new DeploymentOptions { UserConfig = new() { ["greeting"] = "hello" } });
        var who = await node.Gateway.GetStringAsync("/lab/who");

        await node.DeployAsync(packages.Lab, new DeploymentOptions { UserConfig = new() { ["greeting"] = "good bye" } });

        await Eventually.TrueAsync(async () => await node.Gateway.GetStringAsync("/lab/greeting") == "good bye", () => "the new greeting");
        Assert.Equal(who, await node.Gateway.GetStringAsync("/lab/who"));
        Assert.Equal(HttpStatusCode.OK, (await node.Gateway.GetAsync("/-/healthz")).StatusCode);
    }
}
