using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using Serve.Routes;

namespace Serve.Gateway.Tests;

public sealed class WorkerForwardingTests
{
    [Fact]
    public async Task Get_ReplicaInWorker_ForwardsPathAndHeaders()
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        worker.Replica("r1", context => context.Response.WriteAsync(
            $"{context.Request.PathBase.Value}|{context.Request.Path.Value}|{context.Request.QueryString}|{context.TraceIdentifier}|{context.Request.Headers["serve_multiplexed_model_id"]}"));
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Remote("r1", worker.Route).Deploy("x", "/x y", "r1").PublishAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/x%20y/a%20b?c=d")
        {
            Headers = { { "X-Request-ID", "mine" }, { "serve_multiplexed_model_id", "m1" }, { WireHeaderNames.Token, "forged" }, { WireHeaderNames.Actor, "other" } },
        };

        var response = await gateway.Client.SendAsync(request);

        Assert.Equal("/x y|/a b|?c=d|mine|m1", await response.Content.ReadAsStringAsync());
        Assert.Equal("mine", response.Headers.GetValues("X-Request-ID").Single());
    }

    [Fact]
    public async Task Get_ReplicaInWorker_ForwardsClientAndHost()
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        worker.Replica("r1", context => context.Response.WriteAsync(
            $"{context.Request.Host}|{context.Request.Headers[WireHeaderNames.Client]}|{context.Request.Headers["X-Forwarded-For"]}|{context.Request.Headers["X-Forwarded-Host"]}"));
        await using var gateway = await GatewayTestHost.StartAsync(new() { Guard = new() { AllowedHosts = ["models.example"] } });
        await gateway.Remote("r1", worker.Route).Deploy("x", "/x", "r1").PublishAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/x")
        {
            Headers = { Host = "models.example" },
        };
        request.Headers.Add("X-Forwarded-For", "192.0.2.7");
        request.Headers.Add(WireHeaderNames.Client, "http://10.0.0.1:1");

        var response = await gateway.Client.SendAsync(request);

        // Headers of a proxy in front of the gateway are forwarded unchanged.
        Assert.Matches(@"^models\.example\|HTTP/1\.1 http 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+\|192\.0\.2\.7\|$", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("text/plain", "gzip", 10, "5000")]
    [InlineData("application/grpc", "", 10, "5000")]
    [InlineData("text/plain", "", 10, "")]
    [InlineData("text/plain", "gzip", null, "")]
    public async Task Send_CompressedBody_ForwardsSizeLimit(string type, string coding, int? size, string expected)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        worker.Replica("r1", context => context.Response.WriteAsync($"{context.Request.Headers[WireHeaderNames.BodyLimit]}"));
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { MaxRequestBodyBytes = 5000 } });
        await gateway.Remote("r1", worker.Route).Deploy("x", "/x", "r1").PublishAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/x") { Headers = { { WireHeaderNames.BodyLimit, "7" } } };
        if (size is { } length)
            request.Content = new ByteArrayContent(new byte[length]) { Headers = { { "Content-Type", type } } };
        if (size is not null && coding.Length > 0)
            request.Content!.Headers.ContentEncoding.Add(coding);

        Assert.Equal(expected, await (await gateway.Client.SendAsync(request)).Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("full", 0)]
    [InlineData("full", 1000)]
    [InlineData("full", 200_000)]
    [InlineData("gone", 200_000)]
    public async Task Post_ReplicaRefuses_OtherReplicaReceivesWholeBody(string refusal, int size)
    {
        await using var busy = await FakeWorkerServer.StartAsync();
        await using var free = await FakeWorkerServer.StartAsync();
        busy.Replica("r1", Echo).Refusing["r1"] = refusal;
        free.Replica("r2", Echo);
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Remote("r1", busy.Route).Remote("r2", free.Route).Deploy("x", "/x", "r1 r2").PublishAsync();
        var body = new byte[size];
        Random.Shared.NextBytes(body);

        for (var i = 0; i < 20; i++)
        {
            var response = await gateway.Client.PostAsync("/x", new ByteArrayContent(body));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.False(response.Headers.Contains(WireHeaderNames.Refused));
            Assert.Equal(body, await response.Content.ReadAsByteArrayAsync());
        }

        Assert.True(busy.Refusals > 0, "the busy worker received no request");
        Assert.All(gateway.Table.Current.FindApplication("x")!.Ingress.Replicas, slot => Assert.Equal(0, slot.Ongoing));
    }

    [Fact]
    public async Task Post_UnknownLengthAndReplicaRefuses_OtherReplicaReceivesWholeBody()
    {
        await using var busy = await FakeWorkerServer.StartAsync();
        await using var free = await FakeWorkerServer.StartAsync();
        busy.Replica("r1", Echo).Refusing["r1"] = "full";
        free.Replica("r2", Echo);
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Remote("r1", busy.Route).Remote("r2", free.Route).Deploy("x", "/x", "r1 r2").PublishAsync();
        for (var i = 0; i < 10; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/x") { Content = JsonContent.Create(new string('a', 100_000)) };
            request.Headers.TransferEncodingChunked = true;
            var response = await gateway.Client.SendAsync(request);
            Assert.Equal(100_002, (await response.Content.ReadAsByteArrayAsync()).Length);
        }

        Assert.True(busy.Refusals > 0, "the busy worker received no request");
    }

    [Fact]
    public async Task Post_WorkerUnreachable_OtherWorkerServes()
    {
        await using var dead = await FakeWorkerServer.StartAsync();
        var route = dead.Route;
        await dead.StopAsync();
        await using var free = await FakeWorkerServer.StartAsync();
        free.Replica("r2", Echo);
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Remote("r1", route).Remote("r2", free.Route).Deploy("x", "/x", "r1 r2").PublishAsync();

        for (var i = 0; i < 20; i++)
            Assert.Equal("hello", await (await gateway.Client.PostAsync("/x", new StringContent("hello"))).Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task Send_DeploymentAborts_ClosesConnectionWithoutRetry(string method)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        var served = 0;
        Task Abort(HttpContext context)
        {
            // The first request succeeds, so that the second one uses a pooled connection.
            if (Interlocked.Increment(ref served) > 1)
                context.Abort();
            return Task.CompletedTask;
        }

        worker.Replica("r1", Abort);
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Remote("r1", worker.Route).Deploy("x", "/x", "r1").PublishAsync();
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/x")).StatusCode);

        // With a body, so that the client itself does not retry.
        await Assert.ThrowsAsync<HttpRequestException>(() => gateway.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/x") { Content = new StringContent("x") }));

        Assert.Equal(2, served);
        await Eventually.TrueAsync(() => gateway.Table.Current.FindApplication("x")!.Ingress.Replicas.All(slot => slot.Ongoing == 0));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task Send_WorkerKilled_ConnectionPoolDoesNotRetry(string method)
    {
        using var worker = RawSocketWorker.Start(request => request == 1 ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" : null);
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Remote("r1", worker.Route).Deploy("x", "/x", "r1").PublishAsync();
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/x")).StatusCode);

        var response = await gateway.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/x"));

        await ProblemDocument.IsAsync(response, HttpStatusCode.BadGateway, "replica_died");
        Assert.Equal(2, worker.Requests);
        Assert.Contains(gateway.Logged, line => line.Contains("r1 died", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Get_WorkerSendsTrailers_AreForwardedOverHttp2()
    {
        using var worker = RawSocketWorker.Start(_ => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: sum\r\n\r\n4\r\nbody\r\n0\r\nsum: 42\r\n\r\n");
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Remote("r1", worker.Route).Deploy("x", "/x", "r1").PublishAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/x") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

        var response = await gateway.Client.SendAsync(request);

        Assert.Equal("body", await response.Content.ReadAsStringAsync());
        Assert.Equal("42", response.TrailingHeaders.GetValues("sum").Single());
    }

    private static Task Echo(HttpContext context) => context.Request.Body.CopyToAsync(context.Response.Body);
}
