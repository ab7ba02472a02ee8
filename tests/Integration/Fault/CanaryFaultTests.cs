using Serve.Admin;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>A canary can be ended when it never came up, when its node was killed in the middle, and when the package store is full.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class CanaryFaultTests(PatientPackageFixture package)
{
    [Fact]
    public async Task Kill_InTheMiddleOfAPromotion_ContinuesAndCanBeRolledBack()
    {
        using var scratch = new ScratchDirectory();
        await using (var node = await TestNodeProcess.StartAsync(scratch: scratch))
        {
            await node.DeployAsync(package, replicas: 3);
            await DeployCanaryAsync(node, new() { Steps = [50, 100], StepDurationS = 600 });
            await node.Admin.PromoteAsync("patient");
            node.Process.Signal(ServeCliProcess.Kill);
            await node.Process.WaitForExitAsync();
        }

        await using (var again = await TestNodeProcess.StartAsync(scratch: scratch))
        {
            await again.WaitForStatusAsync(ApplicationStatus.Running, "patient");
            await Eventually.TrueAsync(async () => await again.Admin.GetApplicationAsync("patient") is { Canary: null, Revision: 2 }, () => $"the promotion ends\n{again.Process}");
            Assert.Equal("two", await again.Gateway.GetStringAsync("/patient"));

            await DeployCanaryAsync(again, new() { Steps = [50, 100], StepDurationS = 600 }, "three");
            again.Process.Signal(ServeCliProcess.Kill);
            await again.Process.WaitForExitAsync();
        }

        await using var last = await TestNodeProcess.StartAsync(scratch: scratch);
        await Eventually.TrueAsync(async () => await last.Admin.GetApplicationAsync("patient") is { Canary: { Step: 1, Percent: 50, Status: ApplicationStatus.Running } }, () => $"the canary runs again\n{last.Process}");
        var rollback = await last.CliAsync("rollback", "patient");
        Assert.True(rollback.Code == 0, rollback.Errors);
        await Eventually.TrueAsync(async () => await last.Admin.GetApplicationAsync("patient") is { Canary: null, Revision: 2, Status: ApplicationStatus.Running }, () => "the canary ends");
        Assert.Equal("two", await last.Gateway.GetStringAsync("/patient"));
    }

    [Fact]
    public async Task Rollback_CanaryThatNeverCameUp_NoRequestFails()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 1);
        await using var load = new RequestLoadGenerator(node, 2);
        await load.WaitForAnswersAsync(20);
        await DeployAsync(node, new() { Percent = 50 }, new() { ["version"] = "two", ["trouble"] = "no pulse" });
        await Eventually.TrueAsync(async () => (await node.Admin.GetApplicationAsync("patient")).Canary?.Status == ApplicationStatus.DeployFailed, () => $"the canary fails\n{node.Process}");
        Assert.Contains("no pulse", (await node.CliAsync("status")).Output, StringComparison.Ordinal);
        var rollback = await node.CliAsync("rollback", "patient");
        Assert.True(rollback.Code == 0, rollback.Errors);
        await load.WaitForAnswersAsync(20);
        await load.StopAsync();
        Assert.Equal(["one"], load.Answers);
        Assert.Empty(load.Failures);
    }

    [RequiresRootFact]
    public async Task Rollback_FullPackageStore_EndsTheCanary()
    {
        using var scratch = new ScratchDirectory();
        await using var mount = await TmpfsMount.CreateAsync(scratch.In("state"), "size=8m");
        await using var node = await TestNodeProcess.StartAsync(scratch: scratch);
        await node.DeployAsync(package, replicas: 1);
        await DeployCanaryAsync(node, new() { Percent = 50 });
        await using (var fill = File.Create(Path.Combine(mount.Path, "fill"), 1))
        {
            Assert.Throws<IOException>(() => Enumerable.Range(0, 1000).ToList().ForEach(_ => fill.Write(new byte[10_000])));
            // A little for the database, but not for a package.
            fill.SetLength(fill.Length - 100_000);
        }

        await Assert.ThrowsAnyAsync<ServeException>(() => node.Admin.UploadPackageAsync(new MemoryStream(new byte[1_000_000])));
        var rollback = await node.CliAsync("rollback", "patient");
        Assert.True(rollback.Code == 0, rollback.Errors);
        await Eventually.TrueAsync(async () => await node.Admin.GetApplicationAsync("patient") is { Canary: null, Status: ApplicationStatus.Running }, () => $"the canary ends\n{node.Process}");
        Assert.Equal("one", await node.Gateway.GetStringAsync("/patient"));
    }

    private async Task DeployCanaryAsync(TestNodeProcess node, CanarySpec canary, string version = "two")
    {
        await DeployAsync(node, canary, new() { ["version"] = version });
        await Eventually.TrueAsync(async () => (await node.Admin.GetApplicationAsync("patient")).Canary?.StepStartTimeS is not null, () => $"the canary runs\n{node.Process}");
    }

    private Task DeployAsync(TestNodeProcess node, CanarySpec canary, System.Text.Json.Nodes.JsonObject args) => node.DeployAsync(
        package.Zip,
        new ApplicationConfig { Name = "patient", RoutePrefix = "/patient", ImportPath = "", Args = args, Canary = canary, Deployments = [new() { Name = "Patient", NumReplicas = 3 }] },
        until: null);
}
