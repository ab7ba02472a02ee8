using Serve.Admin;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>A version whose constructor throws is retried a limited number of times and reported; running versions are not affected.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class FailingVersionRolloutTests(PatientPackageFixture package)
{
    private const string Trouble = "no pulse in sight";

    [Fact]
    public async Task Deploy_ConstructorThrows_FailsAfterThreeAttemptsPerReplica()
    {
        await using var node = await TestNodeProcess.StartAsync();
        var tally = Directory.CreateDirectory(node.Scratch.In("tally")).FullName;

        await node.DeployAsync(package, replicas: 2, args: new() { ["trouble"] = Trouble, ["tally"] = tally }, until: ApplicationStatus.DeployFailed);

        var application = await node.Admin.GetApplicationAsync("patient");
        Assert.Contains(Trouble, application.Message, StringComparison.Ordinal);
        Assert.Equal(DeploymentStatus.DeployFailed, application.Deployments["Patient"].Status);
        var status = await node.CliAsync("status");
        Assert.Contains("DEPLOY_FAILED", status.Output, StringComparison.Ordinal);
        Assert.Contains(Trouble, status.Output, StringComparison.Ordinal);
        Assert.Equal(3 * 2, Directory.GetFiles(tally).Length);
    }

    [Fact]
    public async Task Deploy_FailingVersion_OldVersionServesUntilFixedVersionIsDeployed()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 2);
        await using var load = new RequestLoadGenerator(node, 4);
        await load.WaitForAnswersAsync(20);

        await node.DeployAsync(package, replicas: 2, args: new() { ["version"] = "two", ["trouble"] = Trouble }, until: ApplicationStatus.DeployFailed);
        await load.WaitForAnswersAsync(50);

        Assert.Equal(["one"], load.Answers);
        Assert.Contains(Trouble, (await node.Admin.GetApplicationAsync("patient")).Message, StringComparison.Ordinal);
        await node.DeployAsync(package, replicas: 2, args: new() { ["version"] = "three" });
        await Eventually.TrueAsync(async () => await node.Gateway.GetStringAsync("/patient") == "three", () => "the mended version answers");
        await load.WaitForAnswersAsync(50);
        await load.StopAsync();
        Assert.Equal(["one", "three"], load.Answers.Order());
        Assert.Empty(load.Failures);
    }
}
