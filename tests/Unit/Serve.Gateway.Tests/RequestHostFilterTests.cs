using System.Net;
using Microsoft.AspNetCore.Http;
using Serve.Gateway.Requests;

namespace Serve.Gateway.Tests;

/// <summary>A web page cannot call a gateway on a loopback address by DNS rebinding.</summary>
public sealed class RequestHostFilterTests
{
    [Theory]
    [InlineData("/x")]
    [InlineData("/-/routes")]
    [InlineData("/-/call/Main/Square")]
    [InlineData("/nowhere")]
    public async Task Send_ForeignHost_ReturnsForbidden(string path)
    {
        await using var gateway = await StartAsync();

        await ProblemDocument.IsAsync(await SendAsync(gateway, path, "evil.example"), HttpStatusCode.Forbidden, "forbidden");
        await ProblemDocument.IsAsync(await SendAsync(gateway, path, "evil.example"), HttpStatusCode.Forbidden, "forbidden");
    }

    [Theory]
    [InlineData("localhost:1234")]
    [InlineData("[::1]")]
    [InlineData("app.example")]
    [InlineData("shop.example.com")]
    public async Task Send_NameOfTheMachineOrAllowed_IsServed(string host)
    {
        await using var gateway = await StartAsync(allowed: ["app.example", "*.example.com"]);

        Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, "/x", host)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, "/x", host)).StatusCode);
    }

    [Theory]
    [InlineData("/-/healthz")]
    [InlineData("/-/readyz")]
    public async Task Send_HealthUnderForeignHost_IsServed(string path)
    {
        await using var gateway = await StartAsync();

        Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, path, "evil.example")).StatusCode);
    }

    [Fact]
    public async Task Send_RightTokenUnderForeignHost_IsServed()
    {
        await using var gateway = await StartAsync();

        Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, "/-/routes", "evil.example", "secret")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(gateway, "/-/routes", "evil.example", "wrong")).StatusCode);
    }

    [Fact]
    public async Task Send_GatewayBeyondLoopback_ServesEveryHost()
    {
        await using var gateway = await StartAsync(host: "0.0.0.0");

        Assert.Equal(HttpStatusCode.OK, (await SendAsync(gateway, "/x", "app.example")).StatusCode);
    }

    [Fact]
    public void Check_KnownHost_DoesNotAllocate()
    {
        var filter = new RequestHostFilter(new());
        var request = new DefaultHttpContext().Request;
        request.Headers.Host = "127.0.0.1:8000";
        filter.Check(request);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            filter.Check(request);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static async Task<GatewayTestHost> StartAsync(string host = "127.0.0.1", params string[] allowed)
    {
        var gateway = await GatewayTestHost.StartAsync(new() { Http = new() { Host = host }, Guard = new() { Token = "secret", AllowedHosts = allowed } });
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        return gateway;
    }

    private static async Task<HttpResponseMessage> SendAsync(GatewayTestHost gateway, string path, string host, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://127.0.0.1:{gateway.Address.Port}{path}"));
        request.Headers.Host = host;
        if (token is not null)
            request.Headers.Authorization = new("Bearer", token);
        return await gateway.Client.SendAsync(request);
    }
}
