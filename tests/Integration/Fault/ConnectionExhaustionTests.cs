using System.Net;
using System.Net.Sockets;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>More clients than the node has file descriptors: it refuses the surplus and keeps serving the others.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class ConnectionExhaustionTests(PatientPackageFixture package)
{
    private const int Descriptors = 1024;
    private const int Clients = 740;

    [Fact]
    public async Task IdleConnections_MoreThanDescriptors_AreRefusedAndTheNodeLives()
    {
        using var scratch = new ScratchDirectory { Launcher = ["sh", "-c", $"ulimit -n {Descriptors}; exec \"$@\"", "sh"] };
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Application, scratch);
        Assert.Contains($"The process may open {Descriptors} files, so at most 288 client connections are accepted at a time.", node.Process.Errors, StringComparison.Ordinal);
        var address = new Uri(node.GatewayAddress);
        List<TcpClient> clients = [];
        var refused = 0;
        try
        {
            for (var number = 0; number < Clients; number++)
            {
                var client = new TcpClient();
                clients.Add(client);
                await client.ConnectAsync(IPAddress.Loopback, address.Port);
            }

            // The last client is beyond the limit: it is answered although it has sent nothing.
            using var reader = new StreamReader(clients[^1].GetStream());
            Assert.Equal("HTTP/1.1 503 Service Unavailable", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)));
            await Eventually.TrueAsync(
                () => (refused = clients.Count(client => client.Client.Poll(0, SelectMode.SelectRead))) >= Clients - 288, () => $"{refused} refused");
            Assert.False(node.Process.HasExited);
            Assert.Single((await node.Admin.GetNodesAsync()).Nodes);
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }

        await Eventually.TrueAsync(() => IsAnsweredAsync(node, "/-/healthz"));
    }

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    public async Task ActiveClients_MoreThanDescriptors_SurplusIsRefusedAndTheNodeLives(IsolationMode isolation)
    {
        using var scratch = new ScratchDirectory { Launcher = ["sh", "-c", $"ulimit -n {Descriptors}; exec \"$@\"", "sh"] };
        await using var node = await TestNodeProcess.StartAsync(isolation, scratch);
        await node.DeployAsync(package, replicas: 1);
        var process = (await node.WaitForReplicasAsync(1, name: "patient")).Pid();
        await using var clients = new ActiveTestClients(new Uri(node.GatewayAddress));
        clients.Start(requests: 0, sockets: 60, streams: 60);
        await Eventually.TrueAsync(() => clients is { Messages: > 100, StreamReads: > 100 }, clients.ToString);
        Assert.Equal(0, clients.Refused);

        clients.Start(requests: 340, sockets: 0, streams: 0);
        await Eventually.TrueAsync(() => clients is { Responses: > 100, Refused: > 100 }, clients.ToString);
        clients.Start(requests: 0, sockets: 100, streams: 100);
        var refused = clients.Refused;
        await Eventually.TrueAsync(() => clients.Refused > refused + 1000, clients.ToString);

        // Those that are connected are served.
        var (messages, reads) = (clients.Messages, clients.StreamReads);
        await Eventually.TrueAsync(() => clients.Messages > messages + 100 && clients.StreamReads > reads + 100, clients.ToString);
        Assert.Single((await node.Admin.GetNodesAsync()).Nodes);
        await clients.StopAsync();
        await Eventually.TrueAsync(() => IsAnsweredAsync(node, "/patient"));
        Assert.False(node.Process.HasExited);
        Assert.Equal(process, (await node.WaitForReplicasAsync(1, name: "patient")).Pid());
    }

    private static async Task<bool> IsAnsweredAsync(TestNodeProcess node, string path)
    {
        try
        {
            using var response = await node.Gateway.GetAsync(path);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
