using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Serve.Replica.Http;

/// <summary>Writes items as they are produced: as server-sent events if the client accepts them, otherwise as a JSON array that is flushed after each item.</summary>
internal sealed class StreamingHttpResult<T>(IAsyncEnumerable<T> items) : IResult
{
    private const string EventStream = "text/event-stream";

    public Task ExecuteAsync(HttpContext httpContext) =>
        AcceptsEvents(httpContext.Request) ? TypedResults.ServerSentEvents(items).ExecuteAsync(httpContext) : WriteArrayAsync(httpContext);

    private static bool AcceptsEvents(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && accepted.Any(type => type.MediaType.Equals(EventStream, StringComparison.OrdinalIgnoreCase) && type.Quality is not 0);

    private async Task WriteArrayAsync(HttpContext context)
    {
        var stop = context.RequestAborted;
        var json = context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        var body = context.Response.BodyWriter;
        await using var item = items.GetAsyncEnumerator(stop);
        // Awaits the first item before writing, so that a stream that fails immediately gets an error status.
        var more = await item.MoveNextAsync();
        context.Response.ContentType = "application/json; charset=utf-8";
        body.Write("["u8);
        var first = true;
        while (more)
        {
            if (!first)
                body.Write(","u8);
            first = false;
            Write(body, item.Current, json);
            await body.FlushAsync(stop);
            more = await item.MoveNextAsync();
        }

        body.Write("]"u8);
        await body.FlushAsync(stop);
    }

    private static void Write(IBufferWriter<byte> body, T item, JsonSerializerOptions json)
    {
        using var writer = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = json.Encoder, SkipValidation = true });
        JsonSerializer.Serialize(writer, item, json);
    }
}
