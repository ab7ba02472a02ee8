using System.Net;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>Each way to stop a node completes its requests, releases all resources and lists the stopped processes.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class NodeShutdownTests(PatientPackageFixture package)
{
    private const string Shutdown = "shutdown";

    [Theory]
    [InlineData("SIGINT")]
    [InlineData("SIGTERM")]
    [InlineData(Shutdown)]
    public async Task Stop_RequestsInProgress_CompletesThemAndReleasesResources(string how)
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 2);
        await node.DeployAsync(package, replicas: 2, name: "apart", isolation: IsolationMode.Replica);
        var remains = NodeResourceInventory.Of(node);
        Assert.Equal(4, remains.Processes.Count);
        Assert.True(remains.Ports.Count >= 2 + (3 * 2), $"{remains.Ports.Count} ports");
        var held = await InFlightRequests.SendAsync(node, 4);

        var stopping = StopAsync(node, how);
        var refused = await WaitForRefusalAsync(node);
        Assert.All(held.Responses, response => Assert.False(response.IsCompleted));
        held.Release();

        foreach (var response in await Task.WhenAll(held.Responses))
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var output = await stopping;
        Assert.True(await node.Process.WaitForExitAsync() == 0, node.Process.ToString());
        Assert.True(refused is HttpStatusCode.ServiceUnavailable or HttpStatusCode.NotFound, $"{refused}");
        Assert.Contains("Applications drained: ", output, StringComparison.Ordinal);
        Assert.All(remains.Processes, pid => Assert.Contains($"process {pid}", output, StringComparison.Ordinal));
        remains.AssertAllReleased();
    }

    [Fact]
    public async Task Interrupt_Twice_StopsImmediatelyAndReleasesResources()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 1);
        var remains = NodeResourceInventory.Of(node);
        await InFlightRequests.SendAsync(node, 1);

        node.Process.SignalGroup(ServeCliProcess.Interrupt);
        await WaitForRefusalAsync(node);
        // An immediate second signal counts as the same request, so the signal is repeated until the node exits.
        await Eventually.TrueAsync(
            () => Task.FromResult(!node.Process.TrySignalGroup(ServeCliProcess.Interrupt)), () => $"the node to exit\n{node.Process}", TimeSpan.FromSeconds(5));

        Assert.NotEqual(0, await node.Process.WaitForExitAsync());
        remains.AssertAllReleased();
    }

    [Fact]
    public async Task Run_Interrupted_ReleasesResources()
    {
        using var scratch = new ScratchDirectory();
        await using var run = ServeCliProcess.Start(scratch, "run", package.Zip, "--http-port", "0", "--admin-port", "0", "--isolation", "application");
        await run.WaitForLineAsync("Ctrl+C stops everything.");
        var workers = LinuxProcessTable.ChildrenOf(run.Id);
        Assert.Single(workers);
        Assert.Contains(scratch.Leftovers(), entry => entry.StartsWith("serve-run-", StringComparison.Ordinal));

        run.SignalGroup(ServeCliProcess.Interrupt);

        Assert.True(await run.WaitForExitAsync() == 0, run.ToString());
        Assert.All(workers, pid => Assert.Null(LinuxProcessTable.StateOf(pid)));
        Assert.Empty(scratch.Processes());
        Assert.Empty(scratch.Leftovers());
    }

    private static async Task<string> StopAsync(TestNodeProcess node, string how)
    {
        if (how == Shutdown)
        {
            var (code, output, errors) = await node.CliAsync("shutdown");
            Assert.True(code == 0, output + errors + node.Process);
            return output;
        }

        node.Process.SignalGroup(how == "SIGINT" ? ServeCliProcess.Interrupt : ServeCliProcess.Terminate);
        await node.Process.WaitForExitAsync();
        return node.Process.Output;
    }

    /// <summary>Waits until the gateway accepts no new requests: it refuses them or has stopped listening.</summary>
    private static async Task<HttpStatusCode?> WaitForRefusalAsync(TestNodeProcess node)
    {
        HttpStatusCode? status = null;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    using var client = new HttpClient { BaseAddress = node.Gateway.BaseAddress, Timeout = TimeSpan.FromSeconds(5) };
                    using var response = await client.GetAsync("/patient");
                    status = response.StatusCode;
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    status = HttpStatusCode.ServiceUnavailable;
                }

                return status != HttpStatusCode.OK;
            },
            () => $"the gateway to refuse requests\n{node.Process}");
        return status;
    }
}
