using System.Globalization;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>Processes that user code or a build has started end with the node, in whatever way it ends.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class DescendantProcessTests(PatientPackageFixture package)
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task Stop_ProcessInASessionOfItsOwn_EndsBeforeTheNode(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(package, replicas: 1);
        var child = await SpawnAsync(node);

        await node.StopAsync();

        Assert.DoesNotContain(child, LinuxProcessTable.WithCommandLine("sleep"));
    }

    [Fact]
    public async Task Kill_ProcessInASessionOfItsOwn_EndsWithItsWorker()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 1);
        var child = await SpawnAsync(node);

        node.Process.Signal(ServeCliProcess.Kill);

        await Eventually.TrueAsync(() => !LinuxProcessTable.WithCommandLine("sleep").Contains(child), timeout: Bound);
    }

    [Fact]
    public async Task Kill_ProcessOfIsolationNone_EndsWithTheNextStart()
    {
        using var scratch = new ScratchDirectory();
        int child;
        await using (var node = await TestNodeProcess.StartAsync(IsolationMode.None, scratch))
        {
            await node.DeployAsync(package, replicas: 1);
            child = await SpawnAsync(node);
            node.Process.Signal(ServeCliProcess.Kill);
            await node.Process.WaitForExitAsync();
        }

        await using var next = await TestNodeProcess.StartAsync(IsolationMode.None, scratch);

        Assert.DoesNotContain(child, LinuxProcessTable.WithCommandLine("sleep"));
    }

    [Fact]
    public async Task Kill_DuringBuild_NoProcessOfTheBuildRemains()
    {
        using var scratch = new ScratchDirectory();
        var source = scratch.In("Slow.cs");
        File.Copy(ServeExecutable.Sample("Patient.cs"), source);
        await using var node = await TestNodeProcess.StartAsync(scratch: scratch);
        var deploy = node.Admin.DeployAsync(new ApplicationConfig { Name = "slow", RoutePrefix = "/slow", ImportPath = source });

        // The command line of the supervisor, of dotnet and of the compiler.
        await Eventually.TrueAsync(() => BuildProcesses(node, scratch).Count >= 3, () => $"{BuildProcesses(node, scratch).Count} processes", TimeSpan.FromSeconds(60));
        node.Process.Signal(ServeCliProcess.Kill);

        await Eventually.TrueAsync(() => BuildProcesses(node, scratch).Count == 0, () => $"{BuildProcesses(node, scratch).Count} processes remain", Bound);
        await Assert.ThrowsAnyAsync<Exception>(() => deploy);
    }

    private static List<int> BuildProcesses(TestNodeProcess node, ScratchDirectory scratch) =>
        [.. LinuxProcessTable.WithCommandLine(scratch.Path).Where(pid => pid != node.Process.Id && !LinuxProcessTable.CommandLineOf(pid).Contains("--state-dir", StringComparison.Ordinal))];

    private static async Task<int> SpawnAsync(TestNodeProcess node)
    {
        var pid = int.Parse(await node.Gateway.GetStringAsync("/patient/spawn"), CultureInfo.InvariantCulture);
        await Eventually.TrueAsync(() => LinuxProcessTable.WithCommandLine("sleep").Contains(pid));
        return pid;
    }
}
