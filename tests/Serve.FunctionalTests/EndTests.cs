using System.Net.Sockets;
using Serve.FunctionalTests.Harness;
using Serve.Specs;
using Xunit.Abstractions;

namespace Serve.FunctionalTests;

/// <summary>However a node ends, nothing of it is left.</summary>
[Collection(FunctionalCollection.Name)]
public sealed class EndTests(SamplePackages packages, ITestOutputHelper output)
{
    private const int Rounds = 50;

    [Theory]
    [InlineData(ServeProcess.Interrupt)]
    [InlineData(ServeProcess.Terminate)]
    public async Task Signal_WhileServing_DrainsAndLeavesNothing(int signal)
    {
        // A shell's background job ignores SIGINT, and so do its children: then there is nothing to see.
        if (signal == ServeProcess.Interrupt && IgnoresInterrupt())
            signal = ServeProcess.Terminate;
        await using var node = await TestNode.StartAsync(IsolationMode.Replica);
        await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 2 });
        var workers = await node.WorkersAsync();
        // More than one, or the question whether it has begun goes to the replica that is idle.
        var slow = Enumerable.Range(0, 4).Select(_ => node.Gateway.GetStringAsync("/lab/slow?ms=2000")).ToList();
        await BegunAsync(node);

        var said = await node.StopAsync(signal);

        Assert.All(await Task.WhenAll(slow), text => Assert.Equal("slow", text));
        foreach (var worker in workers)
            Assert.Contains($"process {worker} ", said, StringComparison.Ordinal);
        AssertNothingLeft(node, workers);
    }

    [Fact]
    public async Task Shutdown_OverTheAdminApi_EndsTheNodeWithZero()
    {
        await using var node = await TestNode.StartAsync();
        await node.DeployAsync(packages.Lab);
        var workers = await node.WorkersAsync();

        var report = await node.Admin.ShutdownAsync();

        Assert.Equal(node.Process.Id, report.NodePid);
        Assert.Equal(workers, report.Processes.Select(worker => worker.Pid));
        Assert.Equal(0, await node.Process.ExitAsync(TimeSpan.FromSeconds(10)));
        AssertNothingLeft(node, workers);
    }

    [Fact]
    public async Task Signal_Twice_EndsAtOnce()
    {
        await using var node = await TestNode.StartAsync();
        await node.DeployAsync(packages.Lab);
        var workers = await node.WorkersAsync();
        var cut = node.Gateway.GetAsync("/lab/slow?ms=60000");
        await BegunAsync(node);

        node.Process.Signal(ServeProcess.Terminate);
        // It drains, and a signal within half a second would be the same wish.
        await Task.Delay(700);
        Assert.False(node.Process.HasExited, "it drains");
        node.Process.Signal(ServeProcess.Terminate);

        Assert.Equal(1, await node.Process.ExitAsync(TimeSpan.FromSeconds(10)));
        AssertNothingLeft(node, workers);
        await Record.ExceptionAsync(() => cut);
    }

    [Fact]
    public async Task Loop_StartDeployKillStop_CountsNoProcessLeft()
    {
        List<int> seen = [];
        for (var round = 0; round < Rounds; round++)
        {
            var isolation = (IsolationMode)(round % 3);
            await using var node = await TestNode.StartAsync(isolation);
            await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 1 + (round % 2) });
            var workers = await node.WorkersAsync();
            Assert.Equal("""{"count":1}""", await node.Gateway.GetStringAsync("/lab"));
            seen.AddRange([node.Process.Id, .. workers]);
            if (workers.Count > 0 && round % 4 == 1)
                ServeProcess.SignalTo(workers[0], ServeProcess.Kill);

            switch (round % 5)
            {
                case 0:
                    await node.Admin.ShutdownAsync();
                    Assert.Equal(0, await node.Process.ExitAsync());
                    break;
                case 1:
                    node.Process.Signal(ServeProcess.Kill);
                    await node.Process.ExitAsync();
                    break;
                default:
                    await node.StopAsync();
                    break;
            }

            await ProcessTable.GoneAsync(seen, TimeSpan.FromSeconds(2));
            AssertClosed(node);
        }

        // What was orphaned by a killed node is adopted by the next reaper up; none of it may be waiting there.
        Assert.DoesNotContain(seen, pid => ProcessTable.StateOf(pid) is not null);
        output.WriteLine($"{Rounds} rounds, {seen.Count} processes, none left");
    }

    private static Task BegunAsync(TestNode node) => Eventually.TrueAsync(
        async () => !(await node.Gateway.GetStringAsync("/lab/ongoing")).EndsWith(" 0", StringComparison.Ordinal), () => "the slow request has begun");

    private static void AssertNothingLeft(TestNode node, List<int> workers)
    {
        Assert.All(workers, worker => Assert.Null(ProcessTable.StateOf(worker)));
        AssertClosed(node);
        Assert.Empty(Directory.EnumerateFileSystemEntries(node.Scratch.Temporary));
        Assert.False(Directory.Exists(Path.Combine(node.Scratch.In("state"), "run")));
    }

    private static void AssertClosed(TestNode node)
    {
        foreach (var address in new[] { node.GatewayAddress, node.AdminAddress })
        {
            using var socket = new TcpClient();
            Assert.ThrowsAny<SocketException>(() => socket.Connect("127.0.0.1", new Uri(address).Port));
        }
    }

    private static bool IgnoresInterrupt()
    {
        var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("SigIgn:", StringComparison.Ordinal));
        return (Convert.ToInt64(line.Split('\t')[1], 16) & (1L << (ServeProcess.Interrupt - 1))) != 0;
    }
}
