using System.Net;
using System.Net.Http.Headers;
using Serve.FunctionalTests.Harness;

namespace Serve.FunctionalTests;

/// <summary>Who may talk to what.</summary>
[Collection(FunctionalCollection.Name)]
public sealed class SecurityTests(SamplePackages packages)
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("Host", "evil.example")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task AdminAndCalls_FromAWebPage_Refused(string header, string value)
    {
        await using var node = await TestNode.StartAsync(IsolationMode.None);
        await node.DeployAsync(packages.Lab);
        using var http = new HttpClient();
        foreach (var (method, url) in new[]
        {
            (HttpMethod.Delete, node.AdminAddress + "/api/serve/applications/lab"),
            (HttpMethod.Post, node.AdminAddress + "/api/v1/shutdown"),
            (HttpMethod.Post, node.GatewayAddress + "/-/call/Lab/Pid"),
        })
        {
            using var request = new HttpRequestMessage(method, url);
            if (method == HttpMethod.Post)
                request.Content = new StringContent("[]", new MediaTypeHeaderValue("application/json"));
            request.Headers.TryAddWithoutValidation(header, value);
            using var response = await http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }

        Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
    }

    [Theory]
    [InlineData("--http-host")]
    [InlineData("--admin-host")]
    public async Task Start_BeyondLoopbackWithoutToken_Refused(string option)
    {
        using var scratch = new Scratch();

        var (code, _, errors) = await ServeProcess.RunAsync(scratch, "start", option, "0.0.0.0", "--http-port", "0", "--admin-port", "0", "--state-dir", scratch.In("state"));

        Assert.Equal(2, code);
        Assert.Contains("--token-file", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(scratch.In("state")));
    }

    [Fact]
    public async Task Token_Configured_NeededByCliClientAndCalls()
    {
        using var scratch = new Scratch();
        var file = scratch.Write("token", Token + "\n");
        await using var node = await TestNode.StartAsync(IsolationMode.None, scratch, "--token-file", file);

        var without = await node.CliAsync("status");
        Assert.Equal(1, without.Code);
        Assert.Contains("token", without.Errors, StringComparison.OrdinalIgnoreCase);
        var with = await node.CliAsync("deploy", packages.Lab, "--name", "lab", "--route-prefix", "/lab", "--token-file", file);
        Assert.True(with.Code == 0, with.Errors);

        await Assert.ThrowsAsync<AccessDeniedException>(async () => await (await ServeClient.ConnectAsync(node.GatewayAddress)).GetHandle("Lab").Method("Square").Remote<int>(3));
        await using var serve = await ServeClient.ConnectAsync(node.GatewayAddress, new ServeClientOptions { Token = Token });
        Assert.Equal(9, await serve.GetHandle("Lab").Method("Square").Remote<int>(3));

        // What is deployed answers everybody who reaches the gateway; whether it asks for more is its own matter.
        Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
    }

    [Fact]
    public async Task Worker_WithoutItsToken_Refuses()
    {
        await using var node = await TestNode.StartAsync();
        await node.DeployAsync(packages.Lab);
        var worker = Assert.Single(await node.WorkersAsync());
        using var http = new HttpClient();
        var ports = ListeningPorts.Of(worker);
        Assert.NotEmpty(ports);
        foreach (var port in ports)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/version");
            request.Headers.Add("Serve-Token", "guessed");
            request.Headers.Add("Serve-Actor", (await node.RunningAsync(1))[0].ReplicaId);
            HttpResponseMessage? response = null;
            // The port for calls speaks HTTP/2 only and hangs up on this.
            await Record.ExceptionAsync(async () => response = await http.SendAsync(request));
            Assert.True(response is null || (int)response.StatusCode is 400 or 401 or 403, $"{response}");
            response?.Dispose();
        }
    }
}
