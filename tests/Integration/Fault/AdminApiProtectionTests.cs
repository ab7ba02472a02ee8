using System.Net;
using System.Net.Http.Headers;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>Neither a web page, nor a rebound DNS name, nor an unauthenticated client can deploy code on a node.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class AdminApiProtectionTests(PatientPackageFixture package)
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    [Fact]
    public async Task BrowserRequest_FromAnotherSite_RejectedByAdminApiAndCalls()
    {
        await using var node = await TestNodeProcess.StartAsync(more: "--no-token");
        await node.DeployAsync(package, replicas: 1);
        using var client = new HttpClient();

        foreach (var (header, value) in new[] { ("Host", "evil.example"), ("Origin", "http://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site") })
        {
            var seen = $"{header}: {value}";
            Assert.Equal((seen, HttpStatusCode.Forbidden, "forbidden"), await AskAsync(client, seen, HttpMethod.Get, node.AdminAddress + "/api/serve/applications/", header, value));
            Assert.Equal((seen, HttpStatusCode.Forbidden, "forbidden"), await AskAsync(client, seen, HttpMethod.Delete, node.AdminAddress + "/api/serve/applications/", header, value));
            Assert.Equal((seen, HttpStatusCode.Forbidden, "forbidden"), await AskAsync(client, seen, HttpMethod.Post, node.GatewayAddress + "/-/call/Patient/Call", header, value));
        }

        Assert.Equal("one", await node.Gateway.GetStringAsync("/patient"));
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(client, "", HttpMethod.Get, node.AdminAddress + "/api/serve/applications/", "Sec-Fetch-Site", "same-origin")).Status);
    }

    [Fact]
    public async Task Start_PublicAddressWithoutToken_Rejected()
    {
        using var scratch = new ScratchDirectory();

        var (code, _, errors) = await ServeCliProcess.RunAsync(scratch, "start", "--admin-host", "0.0.0.0", "--http-port", "0", "--admin-port", "0", "--state-dir", scratch.In("state"));

        Assert.Equal(2, code);
        Assert.Contains("--token-file", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_PublicAddressWithToken_RequiresToken()
    {
        using var scratch = new ScratchDirectory();
        var right = scratch.Write("token", Token + "\n");
        var wrong = scratch.Write("wrong", new string('0', Token.Length));
        await using var node = await TestNodeProcess.StartAsync(scratch: scratch, more: ["--admin-host", "0.0.0.0", "--http-host", "0.0.0.0", "--token-file", right]);
        var admin = node.AdminAddress.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
        var gateway = node.GatewayAddress.Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
        using var client = new HttpClient();

        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(admin + "/api/serve/applications/")).StatusCode);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", new string('0', Token.Length));
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync(admin + "/api/serve/applications/")).StatusCode);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(admin + "/api/serve/applications/")).StatusCode);

        var without = await ServeCliProcess.RunAsync(scratch, "status", "--address", admin);
        Assert.NotEqual(0, without.Code);
        Assert.Contains("token", without.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.NotEqual(0, (await ServeCliProcess.RunAsync(scratch, "status", "--address", admin, "--token-file", wrong)).Code);
        var deployed = await ServeCliProcess.RunAsync(scratch, "deploy", package.Zip, "--name", "patient", "--address", admin, "--token-file", right);
        Assert.True(deployed.Code == 0, deployed.Output + deployed.Errors + node.Process);

        await using (var serve = await ServeClient.ConnectAsync(gateway, new ServeClientOptions { Token = Token }))
            Assert.Equal("one", await serve.GetHandle("Patient").Remote<string>());
        await Assert.ThrowsAsync<AccessDeniedException>(async () =>
        {
            await using var stranger = await ServeClient.ConnectAsync(gateway);
            await stranger.GetHandle("Patient").Remote<string>();
        });
        var ended = await ServeCliProcess.RunAsync(scratch, "shutdown", "--address", admin, "--token-file", right);
        Assert.True(ended.Code == 0, ended.Output + ended.Errors);
    }

    private static async Task<(string Seen, HttpStatusCode Status, string? Reason)> AskAsync(HttpClient client, string seen, HttpMethod method, string address, string header, string value)
    {
        using var request = new HttpRequestMessage(method, address);
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await client.SendAsync(request);
        return (seen, response.StatusCode, await ProblemDetailsReader.ReasonAsync(response));
    }
}
