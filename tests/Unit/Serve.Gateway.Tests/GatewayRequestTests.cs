using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;

namespace Serve.Gateway.Tests;

public sealed class GatewayRequestTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("abc-1", true)]
    [InlineData("with space", false)]
    [InlineData("é", false)]
    [InlineData(null, false)]
    public async Task RequestId_ValidClientId_IsUsed(string? asked, bool taken)
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        gateway.Local("r1").Http = context => context.Response.WriteAsync($"{context.TraceIdentifier}|{context.Request.Headers["X-Request-ID"]}");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/x");
        if (asked is not null)
            request.Headers.TryAddWithoutValidation("X-Request-ID", asked == "é" ? "\u0001" : asked);

        var response = await gateway.Client.SendAsync(request);

        if (response.StatusCode == HttpStatusCode.BadRequest)
            return;
        var id = response.Headers.GetValues("X-Request-ID").Single();
        Assert.Equal(taken, id == asked);
        Assert.Equal($"{id}|{id}", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task RequestId_TooLong_IsReplaced()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/nothing") { Headers = { { "X-Request-ID", new string('a', 129) } } };
        var response = await gateway.Client.SendAsync(request);
        Assert.InRange(response.Headers.GetValues("X-Request-ID").Single().Length, 1, 64);
    }

    [Fact]
    public async Task RequestId_TwoRequests_Differ()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        var first = await gateway.Client.GetAsync("/-/healthz");
        var second = await gateway.Client.GetAsync("/-/healthz");
        Assert.NotEqual(first.Headers.GetValues("X-Request-ID").Single(), second.Headers.GetValues("X-Request-ID").Single());
    }

    [Fact]
    public async Task Get_LocalReplicaRefuses_OtherReplicaReceivesWholePath()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("x", "/x", "r1 r2").PublishAsync();
        gateway.Local("r1").Refuses = true;
        for (var i = 0; i < 20; i++)
            Assert.Equal("/x|/y", await gateway.Client.GetStringAsync("/x/y"));
        Assert.True(gateway.Local("r1").Refusals > 0);
        Assert.All(gateway.Table.Current.FindApplication("x")!.Ingress.Replicas, slot => Assert.Equal(0, slot.Ongoing));
    }

    [Fact]
    public async Task Get_LocalReplicaStopped_WaitsForNextSnapshot()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Remote("r1", new("node", gateway.Address.ToString(), null, "token")).Deploy("x", "/x", "r1").PublishAsync();
        var request = gateway.Client.GetStringAsync("/x");
        await Eventually.TrueAsync(() => gateway.Table.Current.FindApplication("x")!.Ingress.Queued == 1);

        await gateway.Deploy("x", "/x", "r2").PublishAsync();

        Assert.Equal("/x|", await request.WaitAsync(Bound));
    }

    [Fact]
    public async Task Get_QueueFull_ReturnsRetryAfter()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("x", "/x", "r1", max: 1, queue: 1).PublishAsync();
        var hold = new TaskCompletionSource();
        gateway.Local("r1").Http = _ => hold.Task;
        var first = gateway.Client.GetAsync("/x");
        var second = gateway.Client.GetAsync("/x");
        await Eventually.TrueAsync(() => gateway.Table.Current.FindApplication("x")!.Ingress.Queued == 1);

        var third = await gateway.Client.GetAsync("/x");

        await ProblemDocument.IsAsync(third, HttpStatusCode.ServiceUnavailable, "overloaded");
        Assert.InRange(third.Headers.RetryAfter?.Delta?.TotalSeconds ?? 0, 1, 30);
        hold.SetResult();
        await Task.WhenAll(first, second);
    }

    [Fact]
    public async Task Get_DeploymentUnavailable_ReturnsNoReplica()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("x", "/x", "", unavailable: "its constructor threw").PublishAsync();
        var problem = await ProblemDocument.IsAsync(await gateway.Client.GetAsync("/x"), HttpStatusCode.ServiceUnavailable, "no_replica");
        Assert.Contains("its constructor threw", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_ClientDisconnects_CancelsReplicaAndReleasesLease(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync();
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        async Task Wait(HttpContext context)
        {
            await using var registration = context.RequestAborted.Register(() => cancelled.TrySetResult());
            started.SetResult();
            await cancelled.Task;
        }

        Place(gateway, worker, forwarded, Wait);
        await gateway.PublishAsync();
        using var source = new CancellationTokenSource();
        var request = gateway.Client.GetAsync("/x", source.Token);
        await started.Task.WaitAsync(Bound);

        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await cancelled.Task.WaitAsync(Bound);
        await Eventually.TrueAsync(() => gateway.Table.Current.FindApplication("x")!.Ingress.Replicas[0].Ongoing == 0);
        Assert.DoesNotContain(gateway.Logged, line => line.StartsWith("Warning", StringComparison.Ordinal) || line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Get_QueuedClientDisconnects_LeavesQueue()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("x", "/x", "").PublishAsync();
        using var source = new CancellationTokenSource();
        var request = gateway.Client.GetAsync("/x", source.Token);
        var router = gateway.Table.Current.FindApplication("x")!.Ingress;
        await Eventually.TrueAsync(() => router.Queued == 1);
        await source.CancelAsync();
        await Eventually.TrueAsync(() => router.Queued == 0);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_TimeoutExpires_Returns408AndCancelsReplica(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { RequestTimeoutS = 0.2 } });
        var cancelled = new TaskCompletionSource();
        Place(gateway, worker, forwarded, async context =>
        {
            await using var registration = context.RequestAborted.Register(() => cancelled.TrySetResult());
            await cancelled.Task;
        });
        await gateway.PublishAsync();

        var response = await gateway.Client.GetAsync("/x").WaitAsync(Bound);

        await ProblemDocument.IsAsync(response, HttpStatusCode.RequestTimeout, "timeout");
        await cancelled.Task.WaitAsync(Bound);
    }

    [Fact]
    public async Task Get_ReplicaIgnoresTimeout_ClientReceives408()
    {
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { RequestTimeoutS = 0.2 } });
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        var finish = new TaskCompletionSource();
        var wrote = new TaskCompletionSource<Exception?>();
        gateway.Local("r1").Http = async context =>
        {
            await finish.Task;
            try
            {
                context.Response.Headers["late"] = "1";
                await context.Response.WriteAsync("late");
                wrote.SetResult(null);
            }
            catch (Exception error)
            {
                wrote.SetResult(error);
            }
        };

        var response = await gateway.Client.GetAsync("/x").WaitAsync(Bound);

        await ProblemDocument.IsAsync(response, HttpStatusCode.RequestTimeout, "timeout");
        Assert.True(response.Headers.Contains("X-Request-ID"));
        Assert.Equal(1, gateway.Table.Current.FindApplication("x")!.Ingress.Replicas[0].Ongoing);
        finish.SetResult();
        await wrote.Task.WaitAsync(Bound);
        await Eventually.TrueAsync(() => gateway.Table.Current.FindApplication("x")!.Ingress.Replicas[0].Ongoing == 0);
    }

    [Fact]
    public async Task Get_QueuedLongerThanTimeout_Returns408()
    {
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { RequestTimeoutS = 0.2 } });
        await gateway.Deploy("x", "/x", "").PublishAsync();
        await ProblemDocument.IsAsync(await gateway.Client.GetAsync("/x").WaitAsync(Bound), HttpStatusCode.RequestTimeout, "timeout");
    }

    [Fact]
    public async Task Get_ShorterThanTimeout_Succeeds()
    {
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { RequestTimeoutS = 30 } });
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        gateway.Local("r1").Http = async context =>
        {
            await context.Response.WriteAsync("one,");
            await Task.Yield();
            await context.Response.WriteAsync("two");
        };
        Assert.Equal("one,two", await gateway.Client.GetStringAsync("/x"));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Post_BodyOverLimit_Returns413(bool forwarded, bool chunked)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { MaxRequestBodyBytes = 100_000 } });
        var read = 0;
        Place(gateway, worker, forwarded, async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            Interlocked.Increment(ref read);
        });
        await gateway.PublishAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/x") { Content = new ByteArrayContent(new byte[200_000]) };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.ExpectContinue = true;

        var response = await gateway.Client.SendAsync(request).WaitAsync(Bound);

        await ProblemDocument.IsAsync(response, HttpStatusCode.RequestEntityTooLarge, "bad_input");
        Assert.Equal(0, read);
        await Eventually.TrueAsync(() => gateway.Table.Current.FindApplication("x")!.Ingress.Replicas[0].Ongoing == 0);
    }

    [Fact]
    public async Task Healthz_Draining_Returns503AndRequestsFinish()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        var hold = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        gateway.Local("r1").Http = async context =>
        {
            started.SetResult();
            await hold.Task;
            await context.Response.WriteAsync("done");
        };
        Assert.Equal("success", await gateway.Client.GetStringAsync("/-/healthz"));
        var inFlight = gateway.Client.GetAsync("/x");
        await started.Task.WaitAsync(Bound);

        gateway.Service<Microsoft.Extensions.Hosting.IHostApplicationLifetime>().StopApplication();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.Client.GetAsync("/-/healthz")).StatusCode);
        var stopping = gateway.StopAsync();
        hold.SetResult();

        Assert.Equal("done", await (await inFlight.WaitAsync(Bound)).Content.ReadAsStringAsync());
        await stopping.WaitAsync(Bound);
    }

    [Theory]
    [InlineData("draining")]
    [InlineData("starting")]
    public async Task Send_UnknownRouteWhileNotReady_IsUnavailableWithRetryAfter(string reason)
    {
        await using var gateway = await GatewayTestHost.StartAsync(isStarted: reason != "starting");
        await gateway.Deploy("x", "/x", "r1").Deploy("none", "/none", "", unavailable: "it stops").PublishAsync();
        if (reason == "draining")
            gateway.Service<Microsoft.Extensions.Hosting.IHostApplicationLifetime>().StopApplication();

        foreach (var path in (string[])["/nowhere", "/none", "/-/call/nowhere/m"])
        {
            using var request = new HttpRequestMessage(path.StartsWith("/-/", StringComparison.Ordinal) ? HttpMethod.Post : HttpMethod.Get, path) { Content = JsonContent.Create<int[]>([]) };
            using var response = await gateway.Client.SendAsync(request);
            Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
            Assert.Contains(reason, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            await ProblemDocument.IsAsync(response, HttpStatusCode.ServiceUnavailable, "no_replica");
        }

        Assert.Equal("/x|", await gateway.Client.GetStringAsync("/x"));
        gateway.Service<GatewayReadiness>().MarkStarted();
        if (reason == "starting")
            Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync("/nowhere")).StatusCode);
    }

    [Fact]
    public async Task Get_ClientReadsNothing_IsDisconnected()
    {
        if (!OperatingSystem.IsLinux())
            return;
        await using var gateway = await GatewayTestHost.StartAsync(new() { ResponseStallTimeout = TimeSpan.FromSeconds(2) });
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        var ended = new TaskCompletionSource();
        gateway.Local("r1").Http = async context =>
        {
            context.RequestAborted.Register(ended.SetResult);
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.WriteAsync(new string('x', 1_000_000), context.RequestAborted);
        };
        using var slow = new System.Net.Sockets.TcpClient { ReceiveBufferSize = 4096 };
        await slow.ConnectAsync(IPAddress.Loopback, gateway.Address.Port);
        await slow.GetStream().WriteAsync("GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8.ToArray());

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Stop_IdleAndSilentConnections_DoNotDelay()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        using var silent = new System.Net.Sockets.TcpClient();
        await silent.ConnectAsync(IPAddress.Loopback, gateway.Address.Port);
        Assert.Equal("success", await gateway.Client.GetStringAsync("/-/healthz"));
        await gateway.StopAsync().WaitAsync(TimeSpan.FromSeconds(4));
    }

    [Fact]
    public async Task Send_SlowHeaders_IsDisconnected()
    {
        await using var gateway = await GatewayTestHost.StartAsync(new() { RequestHeadersTimeout = TimeSpan.FromSeconds(1) });
        using var slow = new System.Net.Sockets.TcpClient();
        await slow.ConnectAsync(IPAddress.Loopback, gateway.Address.Port);
        var stream = slow.GetStream();
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\nA: "u8.ToArray());

        using var reader = new StreamReader(stream);
        var answer = await reader.ReadToEndAsync().WaitAsync(Bound);

        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
    }

    internal static void Place(GatewayTestHost gateway, FakeWorkerServer worker, bool forwarded, RequestDelegate answer)
    {
        if (forwarded)
            gateway.Remote("r1", worker.Replica("r1", answer).Route);
        else
            gateway.Local("r1").Http = answer;
        gateway.Deploy("x", "/x", "r1");
    }
}
