using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Http;
using Serve.Routes;

namespace Serve.Gateway.Tests;

public sealed class CanaryRequestTests : IAsyncLifetime
{
    private static readonly CanaryRoute Route = new() { Application = "app@canary", Ingress = "Main", Revision = 2 };

    private GatewayTestHost _gateway = null!;

    public async Task InitializeAsync()
    {
        _gateway = await GatewayTestHost.StartAsync();
        _gateway.Deploy("app", "/app", "s1");
        _gateway.Local("s1").Http = static context => context.Response.WriteAsync($"stable {context.Request.PathBase}{context.Request.Path}");
        _gateway.Local("c1").Http = static context => context.Response.WriteAsync($"canary {context.Request.PathBase}{context.Request.Path}");
    }

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Fact]
    public async Task Http_HeaderOrShare_SelectsTheRevision()
    {
        await DeployAsync(Route with { HeaderName = "x-canary", HeaderValue = "1" });
        Assert.Equal("stable /app/a", await _gateway.Client.GetStringAsync("/app/a"));
        Assert.Equal("canary /app/a", await SendAsync("x-canary", "1"));
        Assert.Equal("stable /app/a", await SendAsync("x-canary", "2"));

        await DeployAsync(Route with { Percent = 100 });
        Assert.Equal("canary /app/a", await _gateway.Client.GetStringAsync("/app/a"));
        var counts = await CountsAsync(4);
        Assert.Equal((2, 2, 0), (counts.Stable.Requests, counts.Canary.Requests, counts.Canary.Errors));
    }

    [Fact]
    public async Task Http_SameSession_ReachesOneRevision()
    {
        await DeployAsync(Route with { Percent = 50, Key = "header:x-session" });
        Dictionary<int, string> first = [];
        for (var i = 0; i < 90; i++)
        {
            var answer = await SendAsync("x-session", $"s{i % 30}");
            Assert.Equal(first.TryAdd(i % 30, answer) ? answer : first[i % 30], answer);
        }

        Assert.Equal(2, first.Values.Distinct().Count());
    }

    [Fact]
    public async Task Http_CanaryEndsWhileARequestWaitsForIt_StableRevisionServes()
    {
        var isBusy = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        _gateway.Local("c1").Http = async context =>
        {
            isBusy.TrySetResult();
            await release.Task;
            await context.Response.WriteAsync("canary");
        };
        await DeployAsync(Route with { Percent = 100 });
        var held = _gateway.Client.GetStringAsync("/app/a");
        await isBusy.Task;
        _gateway.Local("c1").Refuses = true;
        var queued = _gateway.Client.GetStringAsync("/app/a");
        await Eventually.TrueAsync(() => Task.FromResult(_gateway.Local("c1").Refusals > 0), () => "refused");

        _gateway.Canary("app", null);
        await _gateway.PublishAsync();
        Assert.Equal("stable /app/a", await queued);
        release.SetResult();
        Assert.Equal("canary", await held);
    }

    [Theory]
    [InlineData(500, null, 1)]
    [InlineData(404, null, 0)]
    [InlineData(200, "13", 1)]
    [InlineData(200, "3", 0)]
    public async Task Http_FailedAnswer_IsCountedAsAnError(int status, string? grpc, int errors)
    {
        _gateway.Local("c1").Http = context =>
        {
            context.Response.StatusCode = status;
            if (grpc is not null)
                context.Response.Headers["grpc-status"] = grpc;
            return Task.CompletedTask;
        };
        await DeployAsync(Route with { Percent = 100 });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/app/a") { Content = new ByteArrayContent([]) };
        request.Content.Headers.ContentType = new(grpc is null ? "text/plain" : "application/grpc");
        using var response = await _gateway.Client.SendAsync(request);
        var counts = await CountsAsync(1);
        Assert.Equal((1, errors), (counts.Canary.Requests, counts.Canary.Errors));
    }

    [Fact]
    public async Task Http_CanaryThrows_IsCountedAsAnError()
    {
        _gateway.Local("c1").Http = static _ => throw new InvalidOperationException("broken");
        await DeployAsync(Route with { Percent = 100 });
        using var response = await _gateway.Client.GetAsync("/app/a");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        var counts = await CountsAsync(1);
        Assert.Equal((1, 1, 0), (counts.Canary.Requests, counts.Canary.Errors, counts.Stable.Requests));
    }

    [Fact]
    public async Task Shadow_SlowAndFailing_AnswersAreThoseOfTheStableRevision()
    {
        List<string> copies = [];
        _gateway.Local("s1").Http = static async context => await context.Response.WriteAsync("stable " + await new StreamReader(context.Request.Body).ReadToEndAsync());
        _gateway.Local("c1").Http = async context =>
        {
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            lock (copies)
                copies.Add($"{context.Request.Method} {context.Request.PathBase}{context.Request.Path}{context.Request.QueryString} {context.Request.Headers["x-a"]} {body}");
            await Task.Delay(3000, context.RequestAborted);
            throw new InvalidOperationException("broken");
        };
        await DeployAsync(Route with { ShadowPercent = 100, ShadowMaxBodyBytes = 10, ShadowMaxConcurrentRequests = 1 });
        var started = Stopwatch.GetTimestamp();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/app/a?b=c") { Content = new StringContent("0123456789"), Headers = { { "x-a", "1" } } };
        using var response = await _gateway.Client.SendAsync(request);
        Assert.Equal("stable 0123456789", await response.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(() => Task.FromResult(copies.Count == 1), () => "a copy");

        // A second copy at a time, a larger body and one of unknown length are answered, but not copied.
        Assert.Equal("stable ", await _gateway.Client.GetStringAsync("/app/a"));
        using var large = await _gateway.Client.PostAsync("/app/a", new StringContent("01234567890"));
        using var unknown = new HttpRequestMessage(HttpMethod.Post, "/app/a") { Content = new StringContent("0"), Headers = { TransferEncodingChunked = true } };
        using var chunked = await _gateway.Client.SendAsync(unknown);
        Assert.Equal("stable 0", await chunked.Content.ReadAsStringAsync());
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(3));
        Assert.Equal(["POST /app/a?b=c 1 0123456789"], copies);
        await Eventually.TrueAsync(() => Task.FromResult(Counts().Shadow is { Requests: 1, Errors: 1 }), () => "the copy failed");
        var counts = await CountsAsync(4);
        Assert.Equal((4, 0), (counts.Stable.Requests, counts.Stable.Errors));
    }

    private async Task DeployAsync(CanaryRoute route)
    {
        _gateway.Canary("app", route, "c1");
        await _gateway.PublishAsync();
    }

    // A request is counted after its answer was sent.
    private async Task<RevisionRequestReport> CountsAsync(long requests)
    {
        await Eventually.TrueAsync(() => Task.FromResult(Counts().Stable.Requests + Counts().Canary.Requests == requests), () => $"{requests} requests");
        return Counts();
    }

    private RevisionRequestReport Counts() => _gateway.Table.Current.FindApplication("app")!.Canary!.Meter.Read(2);

    private async Task<string> SendAsync(string header, string value)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/app/a");
        request.Headers.Add(header, value);
        using var response = await _gateway.Client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}
