using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Serve.Client.Tests;

/// <summary>An HTTP server on a free port with prescribed responses that records its requests.</summary>
internal sealed class FakeHttpNode : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeHttpNode(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    public ConcurrentQueue<string> Requests { get; } = [];

    public ConcurrentQueue<IHeaderDictionary> Headers { get; } = [];

    public static async Task<FakeHttpNode> StartAsync(Action<IEndpointRouteBuilder> routes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var node = new FakeHttpNode(app);
        app.Urls.Add("http://127.0.0.1:0");
        app.Use(async (context, next) =>
        {
            if (context.Request.Path != "/-/healthz")
            {
                context.Request.EnableBuffering();
                var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
                context.Request.Body.Position = 0;
                node.Requests.Enqueue($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {body}".TrimEnd());
            }

            node.Headers.Enqueue(new HeaderDictionary(context.Request.Headers.ToDictionary()));
            await next(context);
        });
        app.MapGet("/-/healthz", () => "ok");
        routes(app);
        await app.StartAsync();
        return node;
    }

    public static Func<HttpContext, Task> Problem(int status, string json) => async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        await context.Response.WriteAsync(json);
    };

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
