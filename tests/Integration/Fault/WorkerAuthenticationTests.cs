using System.Net;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>Ports of a worker accept requests with the node's token only.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class WorkerAuthenticationTests(PatientPackageFixture package)
{
    [Theory]
    [InlineData(null)]
    [InlineData("00000000000000000000000000000000")]
    public async Task Request_MissingOrWrongToken_RejectedOnAllPorts(string? token)
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 1);
        var replica = Assert.Single(await node.WaitForReplicasAsync(1, name: "patient"));
        var ports = LinuxProcessTable.PortsOf(replica.Pid!.Value);
        Assert.Equal(2, ports.Count);
        List<string> answers = [];

        foreach (var port in ports)
        {
            answers.Add(await HttpAsync(port, replica.ActorId!, token));
            answers.Add(await Http2Async(port, replica.ActorId!, token));
        }

        // One of the two ports supports HTTP/1.1, the other one HTTP/2; requests in the other version fail.
        Assert.Equal(["http 401", "http2 401"], answers.Where(answer => answer != "not spoken").Order());
        Assert.Equal("one", await node.Gateway.GetStringAsync("/patient"));
    }

    private static async Task<string> HttpAsync(int port, string actor, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/");
        request.Headers.Add("Serve-Actor", actor);
        if (token is not null)
            request.Headers.Add("Serve-Token", token);
        return await SendAsync(request, response => $"http {(int)response.StatusCode}");
    }

    private static async Task<string> Http2Async(int port, string actor, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("Serve-Actor", actor);
        if (token is not null)
            request.Headers.Add("Serve-Token", token);
        return await SendAsync(request, response => $"http2 {(int)response.StatusCode}");
    }

    private static async Task<string> SendAsync(HttpRequestMessage request, Func<HttpResponseMessage, string> read)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        try
        {
            using var response = await client.SendAsync(request);
            await response.Content.ReadAsByteArrayAsync();
            // Kestrel responds like this if the port supports the other version only.
            return response.StatusCode == HttpStatusCode.BadRequest ? "not spoken" : read(response);
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            return "not spoken";
        }
    }
}
