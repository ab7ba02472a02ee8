using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Serve.Dashboard.Sampling;
using Serve.Http;

namespace Serve.Dashboard.Live;

/// <summary>Snapshots, streams and history of the live tables.</summary>
internal static class LiveEndpoints
{
    private const int MaxStreams = 64;
    private const int MaxSeries = 200;
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(10);
    private static int _streams;

    /// <summary>Maps the endpoints.</summary>
    /// <param name="routes">The server.</param>
    public static void MapLive(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/v1/snapshot", async (string? topics, HttpContext context, LiveFeed feed, DashboardSampler sampler) =>
            {
                var wanted = ReadTopics(topics);
                feed.Look(wanted);
                await sampler.RefreshAsync(wanted, context.RequestAborted);
                context.Response.ContentType = "application/json; charset=utf-8";
                await context.Response.Body.WriteAsync(feed.ComposeSnapshot(wanted), context.RequestAborted);
            })
            .WithTags("Dashboard").WithSummary("Gets the current rows of live tables, and the version from which their changes can be followed.").Produces(200, null, "application/json").ProducesProblem(400);
        routes.MapGet("/api/v1/events", FollowAsync)
            .WithTags("Dashboard").WithSummary("Streams the changes of live tables as server-sent events.").Produces(200, null, "text/event-stream").ProducesProblem(400).ProducesProblem(503);
        routes.MapGet("/api/v1/series", async (string? topic, string? keys, string? columns, int? range, HttpContext context, LiveFeed feed, SampleHistory history, TimeProvider time) =>
            {
                context.Response.ContentType = "application/json; charset=utf-8";
                await context.Response.Body.WriteAsync(ComposeSeries(ReadTopics(topic) is [var one] ? one : throw new DefinitionException("topic must be one table."),
                    keys, columns, range, feed, history, time), context.RequestAborted);
            })
            .WithTags("Dashboard").WithSummary("Gets the history of rows: five minutes at one second, or two hours at ten seconds.").Produces(200, null, "application/json").ProducesProblem(400);
    }

    private static async Task FollowAsync(string? topics, string? since, HttpContext context, LiveFeed feed, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        var wanted = ReadTopics(topics);
        if (Interlocked.Increment(ref _streams) > MaxStreams)
        {
            Interlocked.Decrement(ref _streams);
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, ErrorReason.Overloaded, $"At most {MaxStreams} streams can be open. Close other pages of the dashboard.");
            return;
        }

        feed.Watch(wanted, 1);
        try
        {
            // A stream must not delay the stop of the server.
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
            var last = context.Request.Headers["Last-Event-ID"].ToString();
            await WriteAsync(context, feed, wanted, last.Length > 0 ? last : since, time, ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The browser has closed the stream, or the server stops.
        }
        finally
        {
            feed.Watch(wanted, -1);
            Interlocked.Decrement(ref _streams);
        }
    }

    // A slow reader has no queue: it receives the difference to the version that it has, however many versions there were since, at most the whole table.
    private static async Task WriteAsync(HttpContext context, LiveFeed feed, IReadOnlyList<string> topics, string? since, TimeProvider time, CancellationToken cancellationToken)
    {
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        var output = context.Response.Body;
        var buffer = new ArrayBufferWriter<byte>();
        if (feed.Resume(since, topics) is not { } version)
        {
            await output.WriteAsync("event: reset\ndata: {}\n\n"u8.ToArray(), cancellationToken);
            return;
        }

        await output.WriteAsync(":\n\n"u8.ToArray(), cancellationToken);
        await output.FlushAsync(cancellationToken);
        while (true)
        {
            await Task.WhenAny(feed.WaitAsync(version), Task.Delay(Heartbeat, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            var change = feed.ComposeChange(topics, version);
            if (change.Changes is null)
            {
                await output.WriteAsync("event: reset\ndata: {}\n\n"u8.ToArray(), cancellationToken);
                return;
            }

            buffer.ResetWrittenCount();
            foreach (var (topic, json) in change.Changes)
            {
                Encoding.UTF8.GetBytes($"event: {topic}\ndata: ", buffer);
                buffer.Write(json);
                buffer.Write("\n\n"u8);
            }

            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"event: tick\nid: {change.VersionText}\ndata: {{\"time\":{change.Seconds}}}\n\n"), buffer);
            await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
            await output.FlushAsync(cancellationToken);
            version = change.Version;
        }
    }

    private static byte[] ComposeSeries(string topic, string? keys, string? columns, int? range, LiveFeed feed, SampleHistory history, TimeProvider time)
    {
        var isLong = range switch
        {
            null or SampleHistory.ShortLength => false,
            SampleHistory.LongLength * SampleHistory.LongStep => true,
            _ => throw new DefinitionException($"range must be {SampleHistory.ShortLength} or {SampleHistory.LongLength * SampleHistory.LongStep} seconds, but was {range}."),
        };
        var known = LiveTopics.Columns[topic];
        var rows = Split(keys) is { Length: > 0 } named ? named : [.. feed.Keys(topic)];
        var wanted = Split(columns) is { Length: > 0 } some ? some : known;
        if (wanted.FirstOrDefault(column => !known.Contains(column)) is { } wrong)
            throw new DefinitionException($"Unknown column '{wrong}'. Columns of {topic}: {string.Join(", ", known)}.");
        if (rows.Length * wanted.Length > MaxSeries)
            throw new DefinitionException($"At most {MaxSeries} series are returned at once, but {rows.Length} rows with {wanted.Length} columns were requested. Name fewer keys or columns.");
        var second = time.GetUtcNow().ToUnixTimeSeconds();
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteNumber("step", isLong ? SampleHistory.LongStep : 1);
        json.WriteNumber("end", isLong ? second / SampleHistory.LongStep * SampleHistory.LongStep : second);
        json.WriteStartArray("series");
        foreach (var key in rows)
        {
            foreach (var column in wanted)
            {
                json.WriteStartObject();
                json.WriteString("key", key);
                json.WriteString("column", column);
                json.WriteStartArray("values");
                foreach (var value in history.Read(topic, key, Array.IndexOf(known, column), isLong, second) ?? [])
                    LiveTable.WriteNumber(json, value);
                json.WriteEndArray();
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static string[] Split(string? list) => (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string[] ReadTopics(string? text)
    {
        string[] topics = [.. Split(text).Distinct()];
        if (topics.Length == 0)
            throw new DefinitionException($"topics must name at least one of {string.Join(", ", LiveTopics.Columns.Keys)}.");
        return topics.FirstOrDefault(topic => !LiveTopics.Columns.ContainsKey(topic)) is { } unknown
            ? throw new DefinitionException($"Unknown topic '{unknown}'. The topics are {string.Join(", ", LiveTopics.Columns.Keys)}.")
            : topics;
    }
}
