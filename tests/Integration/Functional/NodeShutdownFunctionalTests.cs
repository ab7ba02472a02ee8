using System.Net;
using System.Net.Sockets;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Shutdown through the admin API releases all resources of the node.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class NodeShutdownFunctionalTests(SamplePackageFixture packages)
{
    [Fact]
    public async Task Shutdown_AdminApi_NodeExitsWithZero()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(packages.Lab);
        var workers = await node.GetWorkerPidsAsync();

        var report = await node.Admin.ShutdownAsync();

        Assert.Equal(node.Process.Id, report.NodePid);
        Assert.Equal(workers, report.Processes.Select(worker => worker.Pid));
        Assert.Equal(0, await node.Process.WaitForExitAsync(TimeSpan.FromSeconds(10)));
        AssertNothingLeft(node, workers);
    }

    [Fact]
    public async Task Shutdown_RequestInProgress_FailsHealthCheckAndCompletesRequest()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(packages.Lab);
        var slow = node.Gateway.GetStringAsync("/lab/slow?ms=2000");
        await Eventually.TrueAsync(
            async () => !(await node.Gateway.GetStringAsync("/lab/ongoing")).EndsWith(" 0", StringComparison.Ordinal), () => "the slow request has begun");

        var shutdown = node.Admin.ShutdownAsync();
        await Eventually.TrueAsync(
            async () => (await node.Gateway.GetAsync("/-/healthz")).StatusCode == HttpStatusCode.ServiceUnavailable, () => "health says that it drains");

        // The listener is open while the request is in progress: a replica that has not been asked to stop yet serves the request, or another node can.
        using (var answer = await node.Gateway.GetAsync("/lab/version"))
            Assert.True(answer is { StatusCode: HttpStatusCode.OK } or { StatusCode: HttpStatusCode.ServiceUnavailable, Headers.RetryAfter: not null }, answer.ToString());

        Assert.Equal("slow", await slow);
        await shutdown;
        Assert.Equal(0, await node.Process.WaitForExitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Start_RestoresApplications_NotReadyUntilTheyAnswer()
    {
        using var scratch = new ScratchDirectory();
        await using (var first = await TestNodeProcess.StartAsync(IsolationMode.Application, scratch))
        {
            await first.DeployAsync(packages.Lab);
            await first.StopAsync();
        }

        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Application, scratch);
        for (var isReady = false; !isReady;)
        {
            isReady = (await node.Gateway.GetAsync("/-/readyz")).StatusCode == HttpStatusCode.OK;
            using var response = await node.Gateway.GetAsync("/lab/version");
            Assert.True(response.StatusCode == HttpStatusCode.OK || (!isReady && response.StatusCode == HttpStatusCode.ServiceUnavailable), $"{isReady} {response}");
        }
    }

    private static void AssertNothingLeft(TestNodeProcess node, List<int> workers)
    {
        Assert.All(workers, worker => Assert.Null(LinuxProcessTable.StateOf(worker)));
        AssertClosed(node);
        Assert.Empty(Directory.EnumerateFileSystemEntries(node.Scratch.Temporary));
        Assert.False(Directory.Exists(Path.Combine(node.Scratch.In("state"), "run")));
    }

    private static void AssertClosed(TestNodeProcess node)
    {
        foreach (var address in new[] { node.GatewayAddress, node.AdminAddress })
        {
            using var socket = new TcpClient();
            Assert.ThrowsAny<SocketException>(() => socket.Connect("127.0.0.1", new Uri(address).Port));
        }
    }
}
