using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Controller.Logs;
using Serve.Controller.Store;

namespace Serve.Controller.AdminApi;

/// <summary>The logs of all processes of the node as one stream.</summary>
internal static class NodeLogEndpoints
{
    private const int MaxTail = 5000;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);

    /// <summary>Maps the endpoints.</summary>
    /// <param name="routes">Where they are mapped.</param>
    public static void MapNodeLogs(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/v1/logs/sources", (HttpContext context) => Results.Json(new { Sources = Catalog(context).List() }, ServeJson.Options))
            .WithTags("Logs").WithSummary("Lists the logs of the node, its workers and its replicas.").Produces(StatusCodes.Status200OK);
        routes.MapGet("/api/v1/logs", (HttpContext context) =>
            {
                var (query, tail) = ReadQuery(context.Request.Query);
                var reader = new NodeLogReader(Buffer(context));
                var lines = reader.Read(Catalog(context).List().Where(query.Includes), query, tail);
                return Results.Json(new { Lines = lines.Select(Describe), reader.IsTruncated }, ServeJson.Options);
            })
            .WithTags("Logs").WithSummary("Gets the newest log lines of all processes, filtered by 'source', 'application', 'deployment', 'replica', 'process', 'level' and 'q'.")
            .Produces(StatusCodes.Status200OK).ProducesProblem(StatusCodes.Status400BadRequest);
        routes.MapGet("/api/v1/logs/stream", StreamAsync)
            .WithTags("Logs").WithSummary("Streams log lines of all processes as server-sent events, with the same filters.")
            .Produces(StatusCodes.Status200OK, null, "text/event-stream").ProducesProblem(StatusCodes.Status400BadRequest);
    }

    private static async Task StreamAsync(HttpContext context, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        var (query, tail) = ReadQuery(context.Request.Query);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        var catalog = Catalog(context);
        try
        {
            // Started before the existing lines are read, so that no line is missed; a line logged in between can appear twice.
            await using var following = new NodeLogFollower(catalog, Buffer(context), time).FollowAsync(query, ended.Token).GetAsyncEnumerator(ended.Token);
            var next = following.MoveNextAsync();
            var existing = tail == 0 ? [] : new NodeLogReader(Buffer(context)).Read(catalog.List().Where(query.Includes), query, tail);
            await WriteAsync(context.Response, "lines", new { Lines = existing.Select(Describe) }, ended.Token);
            var writtenAt = time.GetTimestamp();
            while (await next)
            {
                var (lines, dropped) = following.Current;
                if (dropped > 0)
                    await WriteAsync(context.Response, "dropped", new { Lines = dropped }, ended.Token);
                if (lines.Count > 0)
                    await WriteAsync(context.Response, "lines", new { Lines = lines.Select(Describe) }, ended.Token);
                else if (time.GetElapsedTime(writtenAt) >= Heartbeat)
                    await context.Response.Body.WriteAsync(":\n\n"u8.ToArray(), ended.Token);
                if (lines.Count > 0 || time.GetElapsedTime(writtenAt) >= Heartbeat)
                    writtenAt = time.GetTimestamp();
                await context.Response.Body.FlushAsync(ended.Token);
                next = following.MoveNextAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The browser has closed the stream, or the server stops.
        }
    }

    private static async Task WriteAsync<T>(HttpResponse response, string name, T data, CancellationToken cancellationToken)
    {
        await response.WriteAsync($"event: {name}\ndata: ", cancellationToken);
        await JsonSerializer.SerializeAsync(response.Body, data, ServeJson.Options, cancellationToken);
        await response.WriteAsync("\n\n", cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }

    private static object Describe(NodeLogLine line) => new
    {
        line.Source,
        Time = line.Time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", null),
        Level = line.Level switch
        {
            null => null,
            LogLevel.Trace or LogLevel.Debug => "debug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warning",
            LogLevel.Error => "error",
            _ => "critical",
        },
        line.Text,
        Cut = line.IsCut ? true : (bool?)null,
    };

    private static NodeLogBuffer? Buffer(HttpContext context) => context.RequestServices.GetService<NodeLogBuffer>();

    private static NodeLogCatalog Catalog(HttpContext context) =>
        new(context.RequestServices.GetRequiredService<NodeStateDirectory>(), context.RequestServices.GetRequiredService<ServeController>(), Buffer(context));

    private static (NodeLogQuery Query, int Tail) ReadQuery(IQueryCollection query)
    {
        string? Text(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;
        int? Number(string name, int least, int most) => Text(name) is not { } text ? null
            : int.TryParse(text, null, out var number) && number >= least && number <= most ? number
            : throw new DefinitionException($"{name} must be from {least} to {most}, but was '{text}'.");
        var level = Text("level");
        return (new()
        {
            Sources = [.. query["source"].OfType<string>().Where(static source => source.Length > 0)],
            Application = Text("application"),
            Deployment = Text("deployment"),
            Replica = Text("replica"),
            Process = Number("process", 1, int.MaxValue),
            Level = level is null ? null : NodeLogLine.LevelOf(level) ?? throw new DefinitionException($"level must be debug, info, warning, error or critical, but was '{level}'."),
            Text = Text("q"),
        }, Number("tail", 0, MaxTail) ?? 200);
    }
}
