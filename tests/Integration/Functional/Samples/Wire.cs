using System.Net.WebSockets;
using System.Text;
using Serve;
using Microsoft.AspNetCore.Http.Features;

/// <summary>Returns a request as user code sees it, and responses of all kinds.</summary>
[Deployment(MaxOngoingRequests = 1000)]
public sealed class Wire : IIngress
{
    private static int aborted;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.Map("/echo/{**rest}", EchoAsync).DisableAntiforgery();
        MapBodies(routes);
        MapResponses(routes);
        MapBrokenResponses(routes);
        MapStreams(routes);
        MapFeatures(routes);
        routes.Map("/ws", EchoMessagesAsync);
    }

    private static async Task<IResult> EchoAsync(HttpContext context, string? rest)
    {
        var request = context.Request;
        var detected = context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody;
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        var connection = context.Connection;
        return Results.Json(new
        {
            request.Method,
            request.Scheme,
            Host = request.Host.Value,
            PathBase = request.PathBase.Value,
            Path = request.Path.Value,
            Target = context.Features.Get<IHttpRequestFeature>()!.RawTarget,
            rest,
            Query = request.QueryString.Value,
            Parsed = request.Query.ToDictionary(field => field.Key, field => field.Value.ToArray()),
            request.Protocol,
            request.ContentType,
            request.ContentLength,
            detected,
            Id = context.TraceIdentifier == request.Headers["X-Request-ID"],
            Remote = connection.RemoteIpAddress?.ToString(),
            Local = $"{connection.LocalIpAddress}:{connection.LocalPort}",
            Headers = request.Headers.OrderBy(header => header.Key, StringComparer.Ordinal).ToDictionary(header => header.Key, header => header.Value.ToArray()),
            Cookies = request.Cookies.OrderBy(cookie => cookie.Key, StringComparer.Ordinal).ToDictionary(cookie => cookie.Key, cookie => cookie.Value),
            Length = body.Length,
            Body = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(body.ToArray())),
            Trailers = context.Features.Get<IHttpRequestTrailersFeature>() is { Available: true, Trailers: { Count: > 0 } } trailers ? trailers.Trailers.ToDictionary(trailer => trailer.Key, trailer => trailer.Value.ToArray()) : null,
            SendsTrailers = context.Response.SupportsTrailers(),
        });
    }

    private static void MapBodies(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/json", (System.Text.Json.JsonElement body) => Results.Json(body));
        routes.MapPost("/form", async (HttpRequest request) => (await request.ReadFormAsync()).Select(field => $"{field.Key}={field.Value}"));
        routes.MapPost("/upload", (IFormFile file) => new { file.FileName, file.Length }).DisableAntiforgery();
        routes.MapPost("/ignore", () => "ignored");
        routes.MapPost("/forbid", () => Results.StatusCode(403));
        routes.MapPost("/reader", async (HttpRequest request) =>
        {
            long total = 0;
            while (await request.BodyReader.ReadAsync() is var read)
            {
                total += read.Buffer.Length;
                request.BodyReader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    break;
            }

            return total;
        });
        routes.MapPost("/duplex", async (HttpContext context) =>
        {
            var buffer = new byte[4096];
            for (int read; (read = await context.Request.Body.ReadAsync(buffer)) > 0;)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
                await context.Response.Body.FlushAsync();
            }
        });
    }

    private static void MapResponses(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/status/{code:int}", ["GET", "HEAD"], (int code) => Results.StatusCode(code));
        routes.MapMethods("/text", ["GET", "HEAD"], () => "text");
        routes.MapGet("/empty", () => Results.Empty);
        routes.MapGet("/nocontent", () => Results.NoContent());
        routes.MapGet("/redirect", () => Results.Redirect("/wire/text"));
        routes.MapGet("/problem", () => Results.Problem("own problem", statusCode: 422));
        routes.MapGet("/range", () => Results.Bytes(Encoding.ASCII.GetBytes("0123456789"), "text/plain", enableRangeProcessing: true));
        routes.MapGet("/reason", (HttpContext context) => { context.Features.Get<IHttpResponseFeature>()!.ReasonPhrase = "Rather Fine"; return "x"; });
        routes.MapGet("/cookies", (HttpContext context) =>
        {
            context.Response.Cookies.Append("a", "1");
            context.Response.Cookies.Append("b", "2", new CookieOptions { HttpOnly = true, Path = "/x" });
            context.Response.Headers.Append("X-Multi", "1");
            context.Response.Headers.Append("X-Multi", "2, 3");
            context.Response.Headers["X-Empty"] = "";
            return "x";
        });
        routes.MapGet("/header/{name}", (HttpContext context, string name, string value) => { context.Response.Headers[name] = value; return "x"; });
        routes.MapGet("/big-header", (HttpContext context) => { context.Response.Headers["X-Big"] = new string('a', 200_000); return "x"; });
        routes.MapGet("/many-headers", (HttpContext context) => { for (var i = 0; i < 1500; i++) context.Response.Headers["X-H" + i] = "v"; return "x"; });
        routes.MapGet("/trailers", async (HttpContext context) =>
        {
            context.Response.DeclareTrailer("X-Sum");
            await context.Response.WriteAsync("body");
            context.Response.AppendTrailer("X-Sum", "42");
        });
        routes.MapGet("/length", async (HttpContext context) => { context.Response.ContentLength = 5; await context.Response.WriteAsync("12345"); });
        routes.MapGet("/large", (int n) => Results.Bytes(new byte[n], "application/octet-stream"));
        routes.MapGet("/file", () => Results.File(Encoding.UTF8.GetBytes("é한"), "text/plain", "é한.txt"));
        routes.MapGet("/tokens", Tokens);
        routes.MapGet("/no-response", () => Task.CompletedTask);
    }

    private static void MapFeatures(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/writer", async (HttpContext context) =>
        {
            Encoding.ASCII.GetBytes("12345", context.Response.BodyWriter);
            await context.Response.BodyWriter.FlushAsync();
            Encoding.ASCII.GetBytes("67", context.Response.BodyWriter);
        });
        routes.MapGet("/send-file", async (HttpContext context, long offset, long? count) =>
        {
            var file = Path.GetTempFileName();
            try
            {
                await File.WriteAllTextAsync(file, "0123456789");
                await context.Response.SendFileAsync(file, offset, count);
            }
            finally
            {
                File.Delete(file);
            }
        });
        routes.MapGet("/complete", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("x");
            await context.Response.CompleteAsync();
            await Task.Delay(50);
        });
        routes.MapGet("/starting", (HttpContext context) =>
        {
            context.Response.OnStarting(() => { context.Response.Headers["X-Started"] = "yes"; return Task.CompletedTask; });
            context.Response.OnCompleted(() => throw new InvalidOperationException("after the response"));
            return "x";
        });
        routes.MapMethods("/synchronous", ["GET", "POST"], (HttpContext context) =>
        {
            if (context.Request.Method == "POST")
                return context.Request.Body.Read(new byte[10]).ToString();
            context.Response.Body.Write("x"u8);
            return "";
        });
        routes.MapPost("/own-limit", async (HttpContext context) =>
        {
            var limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>()!;
            if (!limit.IsReadOnly)
                limit.MaxRequestBodySize = 10;
            await context.Request.Body.CopyToAsync(Stream.Null);
            return limit.IsReadOnly;
        });
        routes.MapPost("/size-limit", [Microsoft.AspNetCore.Mvc.RequestSizeLimit(10)] async (HttpContext context) => { await context.Request.Body.CopyToAsync(Stream.Null); return "x"; });
        routes.MapGet("/upgrade", async (HttpContext context) =>
        {
            if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade)
                return Results.Text("not upgradable");
            context.Response.Headers.Upgrade = "chat";
            await using var stream = await upgrade.UpgradeAsync();
            await stream.WriteAsync("raw"u8.ToArray());
            return Results.Empty;
        });
        routes.MapGet("/features", (HttpContext context) => new
        {
            Reset = context.Features.Get<IHttpResetFeature>() is not null,
            Trailers = context.Features.Get<IHttpResponseTrailersFeature>() is not null,
            RequestTrailers = context.Features.Get<IHttpRequestTrailersFeature>() is not null,
            Connect = context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true },
            Upgrade = context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true },
            WebSocket = context.WebSockets.IsWebSocketRequest,
            Synchronous = context.Features.Get<IHttpBodyControlFeature>()?.AllowSynchronousIO,
            Aborted = context.RequestAborted.CanBeCanceled,
        });
        routes.MapGet("/reset", (HttpContext context) => context.Features.Get<IHttpResetFeature>()?.Reset(8));
        routes.MapGet("/wait", async (HttpContext context) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            }
            finally
            {
                Interlocked.Increment(ref aborted);
            }
        });
        routes.MapPost("/wait-body", async (HttpContext context) =>
        {
            try
            {
                await context.Request.Body.CopyToAsync(Stream.Null);
            }
            catch (Exception)
            {
                Interlocked.Increment(ref aborted);
                throw;
            }
        });
    }

    private static void MapBrokenResponses(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/throw", string (string? text) => throw new InvalidOperationException(text ?? "thrown"));
        routes.MapGet("/throw-written", async (HttpContext context) => { await context.Response.WriteAsync("x"); throw new InvalidOperationException("thrown late"); });
        routes.MapGet("/throw-flushed", async (HttpContext context) => { await context.Response.WriteAsync("x"); await context.Response.Body.FlushAsync(); throw new InvalidOperationException("thrown late"); });
        routes.MapGet("/throw-started", async (HttpContext context) => { await context.Response.StartAsync(); throw new InvalidOperationException("thrown late"); });
        routes.MapGet("/abort", (HttpContext context) => { Interlocked.Increment(ref aborted); context.Abort(); return Task.CompletedTask; });
        routes.MapPost("/abort", async (HttpContext context) => { await context.Request.Body.ReadAsync(new byte[1]); context.Abort(); });
        routes.MapGet("/aborted", () => aborted);
        routes.MapGet("/abort-written", async (HttpContext context) => { await context.Response.WriteAsync("x"); context.Abort(); });
        routes.MapGet("/too-long", async (HttpContext context) => { context.Response.ContentLength = 3; await context.Response.WriteAsync("12345"); });
        routes.MapGet("/too-long-later", async (HttpContext context) => { context.Response.ContentLength = 3; await context.Response.WriteAsync("123"); await context.Response.WriteAsync("45"); });
        routes.MapGet("/too-short", async (HttpContext context) => { context.Response.ContentLength = 30; await context.Response.WriteAsync("12345"); });
        routes.MapGet("/none-of-30", (HttpContext context) => { context.Response.ContentLength = 30; return Task.CompletedTask; });
        routes.MapGet("/body/{code:int}", async (HttpContext context, int code) => { context.Response.StatusCode = code; await context.Response.WriteAsync("12345"); });
    }

    private static void MapStreams(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/events", async (HttpContext context, int n, CancellationToken stop) =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < n; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n", stop);
                await context.Response.Body.FlushAsync(stop);
            }
        });
        routes.MapGet("/endless", async (HttpContext context, CancellationToken stop) =>
        {
            try
            {
                while (true)
                {
                    await context.Response.WriteAsync("tick\n", stop);
                    await context.Response.Body.FlushAsync(stop);
                    await Task.Delay(10, stop);
                }
            }
            finally
            {
                Interlocked.Increment(ref aborted);
            }
        });
    }

    private static async IAsyncEnumerable<string> Tokens(int n)
    {
        for (var i = 0; i < n; i++)
        {
            await Task.Yield();
            yield return $"t{i}";
        }
    }

    private static async Task<IResult> EchoMessagesAsync(HttpContext context, string? end)
    {
        if (!context.WebSockets.IsWebSocketRequest)
            return Results.BadRequest("not a WebSocket request");
        var protocol = context.WebSockets.WebSocketRequestedProtocols.Contains("wire.v1") ? "wire.v1" : null;
        using var socket = await context.WebSockets.AcceptWebSocketAsync(protocol);
        var head = $"{context.Request.Protocol} {context.Request.Headers.Connection} {context.Request.Headers.Upgrade} {context.Request.Headers["X-Lines"].Count} {context.Request.Headers.ContainsKey("Serve-Token")}";
        await socket.SendAsync(Encoding.UTF8.GetBytes(head), WebSocketMessageType.Text, true, default);
        var buffer = new byte[4096];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, default);
            if (end == "throw")
                throw new InvalidOperationException("thrown in a WebSocket");
            if (end == "abort")
                context.Abort();
            if (received.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", default);
                return Results.Empty;
            }

            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
        }
    }
}
