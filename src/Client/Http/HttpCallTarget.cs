using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Http;

/// <summary>A deployment behind a node's gateway: calls are <c>POST /-/call/…</c>, streams are lines of JSON.</summary>
/// <param name="connection">The connection to the gateway.</param>
/// <param name="deployment">The deployment's name.</param>
/// <param name="application">The application; null if the gateway should find it.</param>
internal sealed class HttpCallTarget(NodeHttpConnection connection, string deployment, string? application) : ICallTarget, IBroadcastTarget
{
    private const string CallPath = "-/call/";
    private const string StreamType = "application/x-ndjson";
    private const int MaxKeyLength = 2048;
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    // The node waits for the replicas until the timeout, and answers afterwards.
    private static readonly TimeSpan BroadcastAnswerSlack = TimeSpan.FromSeconds(5);

    private readonly string _path = application is null
        ? $"{Uri.EscapeDataString(deployment)}/"
        : $"{Uri.EscapeDataString(application)}/{Uri.EscapeDataString(deployment)}/";

    public async ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        using var request = Request(CallPath, call, context, "application/json");
        using var response = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return body.Length == 0 ? default! : JsonSerializer.Deserialize<TResult>(body, ServeJson.Calls)!;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw connection.Unreachable(e);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw Unreadable<TResult>(call.Method, e);
        }
    }

    public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = Request(CallPath, call, context, StreamType);
        using var response = await connection.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.Content.Headers.ContentType?.MediaType != StreamType)
            throw new UnreadableResultException($"{deployment}.{call.Method} returned a single result, not a stream. Call it with Remote.");

        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var reader = new StreamReader(body);
        while (true)
        {
            var line = await ReadLineAsync<TItem>(reader, call.Method, cancellationToken).ConfigureAwait(false);
            if (line.Error is { } error)
                throw ProblemDocumentReader.Read(error);
            if (line.End)
                yield break;
            yield return line.Item!;
        }
    }

    public async ValueTask<IReadOnlyList<ReplicaResult<TResult>>> BroadcastAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        // A deadline of the whole request would discard the results that are there.
        var remaining = context.Urgency.RemainingTime(TimeProvider.System);
        using var request = Request("-/broadcast/", call, context with { Urgency = context.Urgency with { Deadline = 0 } }, "application/json",
            remaining is { } limit ? string.Create(CultureInfo.InvariantCulture, $"?timeout_ms={Math.Max(1, limit.TotalMilliseconds):F0}") : "");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (remaining is { } patience)
            stop.CancelAfter(patience + BroadcastAnswerSlack);
        try
        {
            var lines = await connection.ReadAsync<ReplicaResponse<TResult>[]>(request, ServeJson.Calls, stop.Token).ConfigureAwait(false);
            return [.. lines.Select(line => line.Error is not { } error ? new ReplicaResult<TResult>(line.ReplicaId, line.Result!)
                : new ReplicaResult<TResult>(line.ReplicaId, ProblemDocumentReader.Read(error) as ServeException ?? new BadInputException(error.ToString())))];
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RequestTimeoutException($"The node did not answer within {remaining + BroadcastAnswerSlack}.");
        }
    }

    private async Task<StreamedResponseLine<TItem>> ReadLineAsync<TItem>(StreamReader reader, string method, CancellationToken cancellationToken)
    {
        try
        {
            // A complete stream has an end marker; without it the connection broke.
            var line = await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) ?? throw connection.Unreachable(null);
            return JsonSerializer.Deserialize<StreamedResponseLine<TItem>>(line, ServeJson.Calls)!;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw connection.Unreachable(e);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw Unreadable<TItem>(method, e);
        }
    }

    private HttpRequestMessage Request<TResult>(string kind, MethodCall<TResult> call, CallContext context, string accept, string query = "")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, kind + _path + Uri.EscapeDataString(call.Method) + query)
        {
            Content = new ByteArrayContent(Write(call)) { Headers = { ContentType = Json } },
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        if (context.RequestId is { } id)
            request.Headers.TryAddWithoutValidation(WireHeaderNames.RequestId, id);
        if (context.MultiplexedModelId is { } model)
            request.Headers.TryAddWithoutValidation(WireHeaderNames.MultiplexedModelId, model);
        if (context.Urgency.RemainingTime(TimeProvider.System) is { } remaining)
            request.Headers.TryAddWithoutValidation(WireHeaderNames.TimeoutMs, Math.Max(0.001, remaining.TotalMilliseconds).ToString("F3", CultureInfo.InvariantCulture));
        if (context.Urgency.Priority is not 0 and var priority)
            request.Headers.TryAddWithoutValidation(WireHeaderNames.Priority, priority.ToString(CultureInfo.InvariantCulture));
        // The whole head of a request is limited to 32 KB.
        if (context.RoutingKey is { } key)
            request.Headers.TryAddWithoutValidation(WireHeaderNames.RoutingKey, Uri.EscapeDataString(key.Length > MaxKeyLength ? key[..MaxKeyLength] : key));
        return request;
    }

    private byte[] Write<TResult>(MethodCall<TResult> call)
    {
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(call.GetArguments(), ServeJson.Calls);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new BadInputException($"An argument of {deployment}.{call.Method} cannot be serialized as JSON: {e.Message}", e);
        }
    }

    private UnreadableResultException Unreadable<T>(string method, Exception cause) =>
        new($"The result of {deployment}.{method} cannot be deserialized as {typeof(T).Name}: {cause.Message}", cause);
}

/// <summary>A line of a streamed response: an item, the end, or an error.</summary>
internal sealed record StreamedResponseLine<TItem>(TItem? Item, bool End, JsonElement? Error);

/// <summary>Result of one replica of a broadcast: a result or an error.</summary>
internal sealed record ReplicaResponse<TResult>(string ReplicaId, TResult? Result, JsonElement? Error);
