using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Serve.Admin;
using Serve.Specs;

namespace Serve.Client.Tests;

public sealed class AdminClientTests
{
    [Fact]
    public async Task EveryCall_GoesToItsPath()
    {
        await using var node = await FakeHttpNode.StartAsync(app =>
        {
            app.MapGet("/api/serve/applications/", () => Results.Text("""{"controller_info":{"node_id":"n1"}}"""));
            app.MapGet("/api/serve/applications/{name}", (string name) => Results.Text($$"""{"name":"{{name}}","status":"DEPLOY_FAILED"}"""));
            app.MapGet("/api/v1/nodes", () => Results.Text("""{"nodes":[{"node_id":"n1","pid":5}]}"""));
            app.MapPost("/api/v1/shutdown", () => Results.Text("""{"node_pid":7}"""));
            app.MapPost("/api/v1/packages", () => Results.Text("""{"import_path":"package:abc"}"""));
            app.MapGet("/api/v1/applications/{name}/logs", () => "one\ntwo\n");
            app.MapMethods("/{**rest}", ["PUT", "DELETE", "POST"], () => Results.Ok());
        });
        using var admin = new AdminClient(node.Address);
        var application = new ApplicationConfig { Name = "my app", RoutePrefix = ApplicationConfig.NoRoute, ImportPath = "a.cs" };

        await admin.CheckAsync();
        await admin.DeployAsync(new ServeConfig { Applications = [application] });
        await admin.DeployAsync(application);
        Assert.Equal("n1", (await admin.GetStatusAsync()).ControllerInfo.NodeId);
        Assert.Equal(ApplicationStatus.DeployFailed, (await admin.GetApplicationAsync("counter")).Status);
        await admin.ScaleAsync(new DeploymentId("counter", "Counter"), 3);
        await admin.RollBackAsync("my app", 3);
        await admin.RollBackAsync("counter");
        await admin.PromoteAsync("my app");
        await admin.ChangeCanaryAsync("my app", 12.5);
        Assert.Equal(["one", "two"], await admin.ReadLogsAsync("counter", "Counter", "a#b#c", 10, follow: true).ToListAsync());
        Assert.Equal(["one", "two"], await admin.ReadLogsAsync("counter").ToListAsync());
        Assert.Equal(5, Assert.Single((await admin.GetNodesAsync()).Nodes).Pid);
        using var zip = new MemoryStream(Encoding.UTF8.GetBytes("zip"));
        Assert.Equal("package:abc", (await admin.UploadPackageAsync(zip)).ImportPath);
        Assert.True(zip.CanRead);
        await admin.DeleteAsync("my app");
        await admin.DeleteAllAsync();
        Assert.Equal(7, (await admin.ShutdownAsync()).NodePid);

        Assert.Equal(
            [
                """PUT /api/serve/applications/ {"applications":[{"name":"my app","route_prefix":null,"import_path":"a.cs","deployments":[]}]}""",
                """PUT /api/serve/applications/my%20app {"name":"my app","route_prefix":null,"import_path":"a.cs","deployments":[]}""",
                "GET /api/serve/applications/",
                "GET /api/serve/applications/counter",
                """POST /api/v1/applications/counter/deployments/Counter/scale {"target_num_replicas":3}""",
                """POST /api/v1/applications/my%20app/rollback {"revision":3}""",
                "POST /api/v1/applications/counter/rollback {}",
                "POST /api/v1/applications/my%20app/promote",
                """POST /api/v1/applications/my%20app/canary {"percent":12.5}""",
                "GET /api/v1/applications/counter/logs?deployment=Counter&replica=a%23b%23c&tail=10&follow=true",
                "GET /api/v1/applications/counter/logs",
                "GET /api/v1/nodes",
                "POST /api/v1/packages zip",
                "DELETE /api/serve/applications/my%20app",
                "DELETE /api/serve/applications/",
                "POST /api/v1/shutdown",
            ],
            node.Requests);
    }

    [Fact]
    public async Task Deploy_WrongConfig_ThrowsEveryError()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPut(
            "/{**rest}", FakeHttpNode.Problem(400, """{"reason":"bad_input","detail":"a\nb","errors":["a","b"]}""")));
        using var admin = new AdminClient(node.Address);

        var error = await Assert.ThrowsAsync<DefinitionException>(() => admin.DeployAsync(new ServeConfig { Applications = [] }));

        Assert.Equal(["a", "b"], error.Errors);
    }

    [Fact]
    public async Task Scale_UnknownDeployment_ThrowsWhatTheNodeSaid()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/{**rest}", FakeHttpNode.Problem(404, """{"reason":"no_such_route","detail":"There is no application 'x'."}""")));
        using var admin = new AdminClient(node.Address);

        var error = await Assert.ThrowsAsync<NoSuchRouteException>(() => admin.ScaleAsync(new DeploymentId("x", "y"), 1));

        Assert.Equal("There is no application 'x'.", error.Message);
    }

    [Fact]
    public async Task AnyCall_NoNode_NamesTheAddressAndWhatToDo()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var admin = new AdminClient($"http://127.0.0.1:{port}");

        var error = await Assert.ThrowsAsync<NodeUnreachableException>(() => admin.GetStatusAsync());

        Assert.Equal($"No response from http://127.0.0.1:{port}. Start a node with 'serve start', or specify its address with --address or SERVE_ADDRESS.", error.Message);
    }

    [Fact]
    public async Task GetStatus_AnswerOfAnotherForm_SaysSo()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapGet("/{**rest}", () => "hello"));
        using var admin = new AdminClient(node.Address);

        var error = await Assert.ThrowsAsync<UnreadableResultException>(() => admin.GetStatusAsync());

        Assert.StartsWith($"The response to GET {node.Address}/api/serve/applications/ is not a valid ServeInstanceDetails: ", error.Message, StringComparison.Ordinal);
    }
}
