using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Serve.Http;
using Serve.Specs;

namespace Serve.Gateway.Requests;

/// <summary>Reads the routing key of an HTTP request.</summary>
internal static class RoutingKeyReader
{
    /// <summary>Number of bytes of a body in which a field is searched: below the size of the server's buffers, which must not fill up while nothing is consumed.</summary>
    private const int MaxPeekedBytes = 256 * 1024;

    private const int MaxKeyLength = 16 * 1024;

    /// <summary>Evaluates an expression.</summary>
    /// <param name="request">The request.</param>
    /// <param name="expression">The expression.</param>
    /// <param name="prefixLength">Length of the route prefix in the request's path.</param>
    /// <returns>The key; null if the request has none.</returns>
    public static ValueTask<string?> ReadAsync(HttpRequest request, RoutingKeyExpression expression, int prefixLength) => expression.Source switch
    {
        RoutingKeySource.Header => new(NonEmpty(request.Headers[expression.Name])),
        RoutingKeySource.Cookie => new(NonEmpty(request.Cookies[expression.Name])),
        RoutingKeySource.Query => new(NonEmpty(request.Query[expression.Name])),
        RoutingKeySource.Route => new(FindSegment(request.Path.Value.AsSpan(prefixLength), expression.Segments)),
        _ when request.Headers.ContentEncoding.Count > 0 || !request.HasJsonContentType() || WebSocketUpgrade.IsRequested(request.HttpContext) => default,
        _ => PeekAsync(request, expression.Segments),
    };

    private static string? NonEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static string? FindSegment(ReadOnlySpan<char> path, IReadOnlyList<string?> pattern)
    {
        string? key = null;
        foreach (var expected in pattern)
        {
            if (path.Length < 2 || path[0] != '/')
                return null;
            var end = path[1..].IndexOf('/');
            var segment = end < 0 ? path[1..] : path.Slice(1, end);
            if (segment.IsEmpty || (expected is not null && !segment.SequenceEqual(expected)))
                return null;
            key = expected is null ? segment.ToString() : key;
            path = path[(segment.Length + 1)..];
        }

        return key;
    }

    private static async ValueTask<string?> PeekAsync(HttpRequest request, IReadOnlyList<string?> fields)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(request.HttpContext.RequestAborted);
            var (isFound, key) = Find(read.Buffer, read.IsCompleted, fields);
            if (isFound || read.IsCompleted || read.IsCanceled || read.Buffer.Length >= MaxPeekedBytes)
            {
                // Nothing is consumed or examined, so the next reader receives the same bytes at once.
                reader.AdvanceTo(read.Buffer.Start);
                return key;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static (bool IsFound, string? Key) Find(ReadOnlySequence<byte> body, bool isComplete, IReadOnlyList<string?> fields)
    {
        var json = new Utf8JsonReader(body, isComplete, default);
        try
        {
            if (!json.Read())
                return (false, null);
            foreach (var field in fields)
            {
                if (json.TokenType != JsonTokenType.StartObject)
                    return (true, null);
                while (true)
                {
                    if (!json.Read())
                        return (false, null);
                    if (json.TokenType == JsonTokenType.EndObject)
                        return (true, null);
                    var isField = json.ValueTextEquals(field);
                    if (isField ? !json.Read() : !json.TrySkip())
                        return (false, null);
                    if (isField)
                        break;
                }
            }

            return ReadValue(body, ref json);
        }
        catch (JsonException)
        {
            // The deployment reports it.
            return (true, null);
        }
    }

    private static (bool IsFound, string? Key) ReadValue(ReadOnlySequence<byte> body, ref Utf8JsonReader json)
    {
        if (json.TokenType == JsonTokenType.Null)
            return (true, null);
        if (json.TokenType == JsonTokenType.String)
            return (true, Cut(json.GetString()!));
        // The text of an object or a list: the prefix of a conversation is the prefix of its messages.
        var start = json.TokenStartIndex;
        var isWhole = json.TrySkip();
        var text = body.Slice(start, isWhole ? json.BytesConsumed - start : body.Length - start);
        return (isWhole, Cut(Encoding.UTF8.GetString(text.Slice(0, Math.Min(text.Length, MaxKeyLength)))));
    }

    private static string Cut(string text) => text.Length > MaxKeyLength ? text[..MaxKeyLength] : text;
}
