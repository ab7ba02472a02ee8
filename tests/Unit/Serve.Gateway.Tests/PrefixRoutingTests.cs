using System.Net;

namespace Serve.Gateway.Tests;

public sealed class PrefixRoutingTests
{
    [Theory]
    [InlineData("/", "root", "", "/")]
    [InlineData("/x", "x", "/x", "")]
    [InlineData("/x/", "x", "/x", "/")]
    [InlineData("/X/z", "x", "/X", "/z")]
    [InlineData("/x/y", "xy", "/x/y", "")]
    [InlineData("/x/y/z?q=1", "xy", "/x/y", "/z")]
    [InlineData("/x/yy", "x", "/x", "/yy")]
    [InlineData("/xx", "root", "", "/xx")]
    public async Task Get_SeveralPrefixes_LongestSegmentMatchWins(string path, string application, string pathBase, string rest)
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("root", "/", "r").Deploy("x", "/x", "x").Deploy("xy", "/x/y", "xy").PublishAsync();
        foreach (var (id, name) in new[] { ("r", "root"), ("x", "x"), ("xy", "xy") })
            gateway.Local(id).Http = context => WriteAsync(context, $"{name}|{context.Request.PathBase}|{context.Request.Path}");

        Assert.Equal($"{application}|{pathBase}|{rest}", await gateway.Client.GetStringAsync(path));
    }

    [Theory]
    [InlineData("/api/x/z", HttpStatusCode.OK)]
    [InlineData("/x/z", HttpStatusCode.NotFound)]
    [InlineData("/-/healthz", HttpStatusCode.OK)]
    public async Task Get_RootPath_PrecedesEveryPrefix(string path, HttpStatusCode status)
    {
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { RootPath = "/api" } });
        await gateway.Deploy("x", "/x", "x").PublishAsync();

        var response = await gateway.Client.GetAsync(path);

        Assert.Equal(status, response.StatusCode);
        if (path == "/api/x/z")
            Assert.Equal("/api/x|/z", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/-/healthz")]
    [InlineData("/-/readyz")]
    [InlineData("/-/routes")]
    public async Task Send_StatusPath_OnlyReads(string path)
    {
        await using var gateway = await GatewayTestHost.StartAsync();

        using var head = await gateway.Client.SendAsync(new(HttpMethod.Head, path));
        using var post = await gateway.Client.PostAsync(path, null);

        Assert.NotEqual(HttpStatusCode.NotFound, head.StatusCode);
        await ProblemDocument.IsAsync(post, HttpStatusCode.MethodNotAllowed, "bad_input");
        Assert.Equal(["GET", "HEAD"], post.Content.Headers.Allow);
    }

    [Fact]
    public async Task Get_UnknownPath_ReturnsNoSuchRoute()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("x", "/secret", "x").PublishAsync();

        var problem = await ProblemDocument.IsAsync(await gateway.Client.GetAsync("/y"), HttpStatusCode.NotFound, "no_such_route");

        Assert.Contains("/-/routes", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_UnknownGatewayPath_DoesNotReachApplication()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("root", "/", "r").PublishAsync();
        await ProblemDocument.IsAsync(await gateway.Client.GetAsync("/-/x"), HttpStatusCode.NotFound, "no_such_route");
    }

    [Fact]
    public async Task Publish_ApplicationsChange_AcknowledgedWhenRouted()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.PublishAsync();
        for (var i = 0; i < 20; i++)
        {
            await gateway.Deploy("x", $"/x{i}", $"r{i}").PublishAsync();
            Assert.Equal($"/x{i}|", await gateway.Client.GetStringAsync($"/x{i}"));
            Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync($"/x{i - 1}")).StatusCode);
        }

        await gateway.Delete("x").PublishAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/x19")).StatusCode);
    }

    [Fact]
    public async Task Publish_OnlyReplicasChange_KeepsYarpConfiguration()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        var provider = gateway.Service<Yarp.ReverseProxy.Configuration.IProxyConfigProvider>();
        var before = provider.GetConfig();

        await gateway.Deploy("x", "/x", "r2 r3").PublishAsync();

        Assert.Same(before, provider.GetConfig());
        await gateway.Deploy("y", "/y", "r4").PublishAsync();
        Assert.NotSame(before, provider.GetConfig());
    }

    [Fact]
    public async Task Publish_InvalidPrefix_OtherPrefixesAreRouted()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("bad", "/a?b", "r1").Deploy("good", "/good", "r2").PublishAsync();
        Assert.Equal("/good|", await gateway.Client.GetStringAsync("/good"));
        Assert.Contains(gateway.Logged, line => line.Contains("'/a?b'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Routes_Deployed_AreListed()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("b", "/b", "r1").Deploy("a", "/", "r2").Deploy("c", null, "r3").PublishAsync();
        Assert.Equal("""{"/":"a","/b":"b"}""", await gateway.Client.GetStringAsync("/-/routes"));
    }

    private static Task WriteAsync(Microsoft.AspNetCore.Http.HttpContext context, string text) =>
        context.Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text)).AsTask();
}
