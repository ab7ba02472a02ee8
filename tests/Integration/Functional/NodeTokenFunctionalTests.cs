using System.Net;
using System.Net.Http.Json;
using Grpc.Core;
using Grpc.Net.Client;
using Inference;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>A node creates its token itself: only its user can deploy, load models and call deployments, without any option.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class NodeTokenFunctionalTests(SamplePackageFixture packages)
{
    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Start_NoTokenConfigured_OnlyItsUserHasAccess()
    {
        using var scratch = new ScratchDirectory();
        using var stranger = new ScratchDirectory();
        string? token;
        await using (var node = await TestNodeProcess.StartAsync(IsolationMode.None, scratch))
        {
            token = node.Token;
            Assert.NotNull(token);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(scratch.In("state/token")));
            var deployed = await node.CliAsync("deploy", packages.Lab, "--name", "lab", "--route-prefix", "/lab");
            Assert.True(deployed.Code == 0, deployed.Errors);
            Assert.Equal(0, (await node.CliAsync("list", "tasks")).Code);
            await using (var serve = await node.ConnectAsync())
                Assert.Equal(9, await serve.GetHandle("Lab").Method("Square").Remote<int>(3));

            // Another user has no access to the state folder of this one.
            var (code, _, errors) = await ServeCliProcess.RunAsync(stranger, "status", "--address", node.AdminAddress);
            Assert.Equal(1, code);
            Assert.Equal(
                $"serve: This node requires its token: Authorization: Bearer TOKEN. The current user has started no node at {node.AdminAddress} that is running. "
                + "Specify the file with its token: --token-file of the CLI, or ServeClientOptions.TokenFile.", errors);
            await RequiresTokenAsync(node);
        }

        // The ports are different, the token is the same.
        await using var restarted = await TestNodeProcess.StartAsync(IsolationMode.None, scratch);
        Assert.Equal(token, restarted.Token);
        Assert.Equal(0, (await restarted.CliAsync("status")).Code);
    }

    [Fact]
    public async Task Run_NoTokenConfigured_OnlyItsUserHasAccess()
    {
        using var scratch = new ScratchDirectory();
        using var stranger = new ScratchDirectory();
        await using var run = ServeCliProcess.Start(scratch, "run", packages.Lab, "--http-port", "0", "--admin-port", "0");
        var admin = await run.WaitForLineAsync("admin  ");

        var own = await ServeCliProcess.RunAsync(scratch, "status", "--address", admin);
        Assert.True(own.Code == 0, own.Errors);
        Assert.Equal(1, (await ServeCliProcess.RunAsync(stranger, "status", "--address", admin)).Code);

        run.Signal(ServeCliProcess.Kill);
        await run.WaitForExitAsync();
        var dead = await ServeCliProcess.RunAsync(scratch, "status", "--address", admin);
        Assert.Equal(3, dead.Code);
        Assert.False(Directory.Exists(scratch.In("xdg/serve/nodes")));
    }

    [Fact]
    public async Task Start_NoTokenOption_EveryLocalUserHasAccess()
    {
        using var stranger = new ScratchDirectory();
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None, null, "--no-token");

        Assert.Null(node.Token);
        Assert.Equal(0, (await ServeCliProcess.RunAsync(stranger, "status", "--address", node.AdminAddress)).Code);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Start_TokenFileReadableByOthers_Rejected()
    {
        using var scratch = new ScratchDirectory();
        Directory.CreateDirectory(scratch.In("state"));
        File.SetUnixFileMode(scratch.Write("state/token", new string('a', 64)), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var (code, _, errors) = await ServeCliProcess.RunAsync(scratch, "start", "--http-port", "0", "--admin-port", "0", "--state-dir", scratch.In("state"));

        Assert.Equal(1, code);
        Assert.Contains($"chmod 600 {scratch.In("state/token")}", errors, StringComparison.Ordinal);
        Assert.Single(errors.Split('\n'));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_AllowedHost_IsAcceptedAndOthersAreNot(bool byConfig)
    {
        using var scratch = new ScratchDirectory();
        var config = scratch.Write("serve.yaml", "http_options: {port: 0, allowed_hosts: [app.example]}\napplications: []\n");
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None, scratch, byConfig ? ["--config", config] : ["--allowed-host", "app.example"]);

        // Until it is ready, a node answers 503 instead of 404.
        await Eventually.TrueAsync(async () => await StatusAsync("/-/readyz", "127.0.0.1") == HttpStatusCode.OK, () => "the node is ready");
        foreach (var path in new[] { "/lab/version", "/-/routes", "/v2", "/v2/models/digits", "/v2/health/ready" })
        {
            var own = await StatusAsync(path, "127.0.0.1");
            Assert.Equal((path, HttpStatusCode.Forbidden), (path, await StatusAsync(path, "evil.example")));
            Assert.Equal((path, own), (path, await StatusAsync(path, "app.example:80")));
        }

        using var channel = GrpcChannel.ForAddress(node.GatewayAddress);
        var rpc = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        var denied = await Assert.ThrowsAsync<RpcException>(async () => await rpc.RepositoryIndexAsync(new(), new Metadata { { "host", "evil.example" } }));
        Assert.Equal(StatusCode.PermissionDenied, denied.StatusCode);
        Assert.Empty((await rpc.RepositoryIndexAsync(new())).Models);

        async Task<HttpStatusCode> StatusAsync(string path, string host)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = host } };
            return (await node.Gateway.SendAsync(request)).StatusCode;
        }
    }

    private static async Task RequiresTokenAsync(TestNodeProcess node)
    {
        using var admin = new HttpClient { BaseAddress = new(node.AdminAddress) };
        foreach (var path in new[] { "/api/serve/applications/", "/api/v0/tasks", "/metrics" })
            Assert.Equal((path, HttpStatusCode.Unauthorized), (path, (await admin.GetAsync(path)).StatusCode));
        Assert.Equal(HttpStatusCode.Unauthorized, (await admin.PostAsync("/api/v1/shutdown", null)).StatusCode);
        foreach (var path in new[] { "/-/healthz", "/docs/v1/openapi.json" })
            Assert.Equal((path, HttpStatusCode.OK), (path, (await admin.GetAsync(path)).StatusCode));
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.Gateway.PostAsJsonAsync("/-/call/Lab/Square", new[] { 3 })).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.Gateway.PostAsync("/v2/repository/models/nothing/load", null)).StatusCode);
        using var channel = GrpcChannel.ForAddress(node.GatewayAddress);
        var rpc = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
        var denied = await Assert.ThrowsAsync<RpcException>(async () => await rpc.RepositoryModelLoadAsync(new() { ModelName = "nothing" }));
        Assert.Equal(StatusCode.Unauthenticated, denied.StatusCode);
        Metadata token = new() { { "authorization", "Bearer " + node.Token } };
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await rpc.RepositoryModelLoadAsync(new() { ModelName = "nothing" }, token));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);

        // Application routes and the health of the gateway are public.
        Assert.Equal("one", await node.Gateway.GetStringAsync("/lab/version"));
        Assert.Equal("success", await node.Gateway.GetStringAsync("/-/readyz"));
    }
}
