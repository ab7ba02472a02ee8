using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Serve.Nodes;
using Serve.Routes;

namespace Serve.Gateway.Tests;

/// <summary>The HTTP server of a worker on a free port, with delegates as replicas.</summary>
internal sealed class FakeWorkerServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _replicas = new();

    private FakeWorkerServer(WebApplication app) => _app = app;

    public string Id { get; } = Guid.NewGuid().ToString("N");

    public string Token { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Refusals by replica: <c>full</c> or <c>gone</c>.</summary>
    public ConcurrentDictionary<string, string> Refusing { get; } = new();

    public int Refusals;

    public HostProcessAddress Route => new(Id, _app.Urls.First(), _app.Urls.Last(), Token);

    public static async Task<FakeWorkerServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        var app = builder.Build();
        app.UseWebSockets();
        var worker = new FakeWorkerServer(app);
        app.Run(worker.AnswerAsync);
        await app.StartAsync();
        return worker;
    }

    public FakeWorkerServer Replica(string id, RequestDelegate answer)
    {
        _replicas[id] = answer;
        return this;
    }

    public async Task StopAsync() => await _app.StopAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers[WireHeaderNames.Token] != Token)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }

        var id = headers[WireHeaderNames.Actor].ToString();
        var known = _replicas.TryGetValue(id, out var answer);
        if (!known || Refusing.ContainsKey(id))
        {
            Interlocked.Increment(ref Refusals);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers[WireHeaderNames.Refused] = $"{(known ? Refusing[id] : "gone")} {Token}";
            return;
        }

        var prefix = headers[WireHeaderNames.PathBase].ToString();
        var expect = headers.Expect;
        if (headers.Remove(WireHeaderNames.Urgency, out var urgency))
            context.Features.Set(RequestUrgency.Decode(urgency.ToString(), TimeProvider.System));
        if (headers.Remove(WireHeaderNames.Head, out var head) && ForwardedRequestHead.Restore(context.Request, head.ToString()))
            context.Request.Body = new FramedRequestBody(context.Request.Body);
        headers.Expect = expect;
        context.Request.Path.StartsWithSegments(PathString.FromUriComponent(prefix), out var matched, out var rest);
        (context.Request.PathBase, context.Request.Path) = (matched, rest);
        context.TraceIdentifier = headers[WireHeaderNames.RequestId].ToString();
        await answer!(context);
    }
}
