using System.Diagnostics;
using Serve.Admin;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>After `kill -9` of a node no process remains, and the next start with the same state directory restores all applications.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class NodeCrashRecoveryTests(PatientPackageFixture package)
{
    private static readonly TimeSpan WorkersGone = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Kill_TwoApplications_WorkersExitAndStartRestoresBoth()
    {
        using var scratch = new ScratchDirectory();
        await using (var node = await TestNodeProcess.StartAsync(scratch: scratch))
        {
            await node.DeployAsync(package, replicas: 1);
            await node.DeployAsync(package, replicas: 2, name: "apart", isolation: IsolationMode.Replica, args: new() { ["version"] = "two" });
            await node.Admin.ScaleAsync(new DeploymentId("patient", "Patient"), 3);
            await node.WaitForReplicasAsync(3, name: "patient");
            // Requests in progress must not keep the workers running.
            await InFlightRequests.SendAsync(node, 2);
            var workers = LinuxProcessTable.ChildrenOf(node.Process.Id);
            Assert.Equal(3, workers.Count);

            node.Process.Signal(ServeCliProcess.Kill);
            await LinuxProcessTable.WaitForExitAsync(workers, WorkersGone);
            await node.Process.WaitForExitAsync();
            Assert.Empty(scratch.Processes());
        }

        var watch = Stopwatch.StartNew();
        await using var again = await TestNodeProcess.StartAsync(scratch: scratch);
        await again.WaitForStatusAsync(ApplicationStatus.Running, "patient");
        await again.WaitForStatusAsync(ApplicationStatus.Running, "apart");
        await again.WaitForReplicasAsync(3, name: "patient");
        await again.WaitForReplicasAsync(2, name: "apart");
        Assert.Equal("one", await again.Gateway.GetStringAsync("/patient"));
        Assert.Equal("two", await again.Gateway.GetStringAsync("/apart"));
        Assert.Contains("restoring apart, patient", again.Process.Output, StringComparison.Ordinal);
    }
}
