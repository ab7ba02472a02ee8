using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Http;

namespace Serve.Gateway.Endpoints;

/// <summary>A stream of items as newline-delimited JSON: one line per item, then one with the end of the stream or its error.</summary>
internal static class JsonLinesResponse
{
    /// <summary>Media type that selects this form.</summary>
    public const string ContentType = "application/x-ndjson";

    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    /// <summary>Writes the stream. An error before the first item is thrown, so that it determines the status of the response.</summary>
    /// <param name="context">The request.</param>
    /// <param name="items">The items.</param>
    /// <param name="includeStack">Whether errors contain the stack trace of user exceptions.</param>
    /// <returns>The error with which the stream ended; null if it is complete.</returns>
    public static async Task<ServeException?> WriteAsync(HttpContext context, IAsyncEnumerable<JsonElement> items, bool includeStack)
    {
        await using var source = items.GetAsyncEnumerator(context.RequestAborted);
        var more = await source.MoveNextAsync();
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        context.Response.ContentType = ContentType;
        ServeException? failure = null;
        try
        {
            while (more)
            {
                var item = source.Current;
                await WriteLineAsync(context, new { item = item.ValueKind == JsonValueKind.Undefined ? (JsonElement?)null : item });
                more = await source.MoveNextAsync();
            }
        }
        catch (ServeException error)
        {
            failure = error;
        }

        await WriteLineAsync(context, failure is null ? new { end = true } : new { error = Describe(failure, includeStack) });
        return failure;
    }

    /// <summary>Returns the members of an error's problem document.</summary>
    /// <param name="error">The error.</param>
    /// <param name="includeStack">Whether the stack trace of a user exception is included.</param>
    public static Dictionary<string, object?> Describe(ServeException error, bool includeStack)
    {
        var problem = new Dictionary<string, object?>
        {
            ["status"] = error.StatusCode,
            ["detail"] = includeStack ? error.Message : ServerPathRedactor.Redact(error.Message),
            ["reason"] = error.Reason,
        };
        if (error is UserCodeException user)
        {
            problem["exceptionType"] = user.ExceptionType;
            if (includeStack && user.RemoteStack is { } stack)
                problem["stack"] = stack;
        }

        return problem;
    }

    private static async Task WriteLineAsync(HttpContext context, object line)
    {
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
            JsonSerializer.Serialize(json, line, ServeJson.Calls);
        context.Response.BodyWriter.Write(LineEnd);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
