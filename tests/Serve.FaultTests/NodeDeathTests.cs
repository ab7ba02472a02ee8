using System.Diagnostics;
using Serve.Admin;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>A node that is killed leaves no process, and the next start on its state directory goes on where it was.</summary>
[Collection(FaultCollection.Name)]
public sealed class NodeDeathTests(PatientPackage package)
{
    private static readonly TimeSpan WorkersGone = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Kill_WithTwoApplications_WorkersGoAndStartBringsAllBack()
    {
        using var scratch = new Scratch();
        await using (var node = await TestNode.StartAsync(scratch: scratch))
        {
            await node.DeployAsync(package, replicas: 1);
            await node.DeployAsync(package, replicas: 2, name: "apart", isolation: IsolationMode.Replica, args: new() { ["version"] = "two" });
            await node.Admin.ScaleAsync(new DeploymentId("patient", "Patient"), 3);
            await node.RunningAsync(3, name: "patient");
            // They are serving when it happens: that must not keep them.
            await HeldRequests.SendAsync(node, 2);
            var workers = ProcessTable.ChildrenOf(node.Process.Id);
            Assert.Equal(3, workers.Count);

            node.Process.Signal(ServeProcess.Kill);
            await ProcessTable.GoneAsync(workers, WorkersGone);
            await node.Process.ExitAsync();
            Assert.Empty(scratch.Processes());
        }

        var watch = Stopwatch.StartNew();
        await using var again = await TestNode.StartAsync(scratch: scratch);
        await again.StatusAsync(ApplicationStatus.Running, "patient");
        await again.StatusAsync(ApplicationStatus.Running, "apart");
        await again.RunningAsync(3, name: "patient");
        await again.RunningAsync(2, name: "apart");
        Assert.Equal("one", await again.Gateway.GetStringAsync("/patient"));
        Assert.Equal("two", await again.Gateway.GetStringAsync("/apart"));
        Assert.Contains("bringing back apart, patient", again.Process.Output, StringComparison.Ordinal);
    }
}
