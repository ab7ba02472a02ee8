using System.Collections.Specialized;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Serve.Workflows.Api;

/// <summary>A request of the workflow API.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The undecoded path, from <c>/api/workflows</c> or <c>/event/send_event</c>.</param>
/// <param name="Query">The query.</param>
/// <param name="IdempotencyKey">The header <c>Idempotency-Key</c>; null for none.</param>
/// <param name="ReadBody">Reads the body.</param>
public sealed record WorkflowApiRequest(string Method, string Path, NameValueCollection Query, string? IdempotencyKey, Func<Task<string>> ReadBody);

/// <summary>A response of the workflow API.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Json">The body; empty for none.</param>
public sealed record WorkflowApiResponse(HttpStatusCode Status, string Json = "")
{
    /// <summary>Gets the content type of the body.</summary>
    public string ContentType => (int)Status < 400 ? "application/json" : "application/problem+json";
}

/// <summary>
/// The HTTP API of a workflow host, independent of a web server: <c>/api/workflows</c> and Ray's <c>/event/send_event/{id}</c>. Errors are problem documents: 400 for values that do not fit, 404 for
/// an unknown id, 409 for a status that does not allow the request, 413 for a value that is too large. Holds no state.
/// </summary>
public static class WorkflowApi
{
    /// <summary>Path of all requests but Ray's.</summary>
    public const string Root = "/api/workflows";

    /// <summary>Path of Ray's endpoint for events, without the workflow's id.</summary>
    public const string RayEvents = "/event/send_event";

    private const int DefaultLimit = 100;
    private const int MaxLimit = 10_000;
    private static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = 512 };

    /// <summary>Responds to a request.</summary>
    /// <param name="host">The workflow host.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Cancels waits, but no workflow.</param>
    /// <returns>The response.</returns>
    public static async Task<WorkflowApiResponse> RespondAsync(WorkflowHost host, WorkflowApiRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(request);
        try
        {
            return await RouteAsync(host, request, cancellationToken).ConfigureAwait(false);
        }
        catch (WorkflowNotFoundException failure)
        {
            return Problem(HttpStatusCode.NotFound, ErrorReason.NoSuchWorkflow, failure.Message);
        }
        catch (WorkflowLimitException failure)
        {
            return Problem(HttpStatusCode.RequestEntityTooLarge, ErrorReason.BadInput, failure.Message);
        }
        catch (Exception failure) when (failure is ArgumentException or JsonException)
        {
            return Problem(HttpStatusCode.BadRequest, ErrorReason.BadInput, failure.Message.Split(" (Parameter", 2)[0]);
        }
        catch (Exception failure) when (failure is WorkflowException or WorkflowCanceledException)
        {
            return Problem(HttpStatusCode.Conflict, ErrorReason.Conflict, failure.Message);
        }
    }

    private static async Task<WorkflowApiResponse> RouteAsync(WorkflowHost host, WorkflowApiRequest request, CancellationToken cancellationToken)
    {
        string[] path = [.. request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries).Skip(2).Select(Uri.UnescapeDataString)];
        if (request.Path.StartsWith(RayEvents + "/", StringComparison.Ordinal))
        {
            return (request.Method, path) is ("POST", [var receiver])
                ? await SendRayEventAsync(host, receiver, request).ConfigureAwait(false)
                : Unknown(request);
        }

        switch (request.Method, path)
        {
            case ("GET", []):
                return await ListAsync(host, request.Query, cancellationToken).ConfigureAwait(false);
            case ("POST", []):
                return await StartAsync(host, await request.ReadBody().ConfigureAwait(false)).ConfigureAwait(false);
            case ("POST", ["resume"]):
                return Ok(await host.ResumeAll(IsTrue(request.Query["include_failed"])).ConfigureAwait(false));
            case ("GET", [var id]):
                return Ok(host.GetMetadata(id));
            case ("DELETE", [var id]):
                await host.Delete(id).ConfigureAwait(false);
                return Ok(new { id });
            case ("GET", [var id, "history"]):
                return Ok(host.GetHistory(id));
            case ("GET", [var id, "output"]):
                return await GetOutputAsync(host, id, request.Query, cancellationToken).ConfigureAwait(false);
            case ("GET", [var id, "queries", var name]):
                return new(HttpStatusCode.OK, await host.Query(id, name).ConfigureAwait(false));
            case ("POST", [var id, "events", var name]):
                await host.SendEventJson(id, name, await request.ReadBody().ConfigureAwait(false), request.IdempotencyKey).ConfigureAwait(false);
                return new(HttpStatusCode.Accepted);
            case ("POST", [var id, "signals", var name]):
                await host.SignalJson(id, name, await request.ReadBody().ConfigureAwait(false), request.IdempotencyKey).ConfigureAwait(false);
                return new(HttpStatusCode.Accepted);
            case ("POST", [var id, "cancel"]):
                await host.Cancel(id, request.Query["reason"] ?? "it was canceled over HTTP").ConfigureAwait(false);
                return new(HttpStatusCode.Accepted);
            case ("POST", [var id, "resume"]):
                await host.Resume(id).ConfigureAwait(false);
                return new(HttpStatusCode.Accepted);
            default:
                return Unknown(request);
        }
    }

    private static async Task<WorkflowApiResponse> ListAsync(WorkflowHost host, NameValueCollection query, CancellationToken cancellationToken)
    {
        WorkflowStatus? status = query["status"] is not { Length: > 0 } text ? null
            : Enum.TryParse<WorkflowStatus>(text, ignoreCase: true, out var known) && Enum.IsDefined(known) ? known
            : throw new ArgumentException($"status must be one of {string.Join(", ", Enum.GetNames<WorkflowStatus>())}, but was '{text}'.");
        var limit = ReadNumber(query, "limit", DefaultLimit, 1, MaxLimit);
        var where = query.AllKeys.OfType<string>().Where(key => key.StartsWith("metadata.", StringComparison.Ordinal)).ToDictionary(key => key["metadata.".Length..], key => query[key]!);
        List<WorkflowInfo> found = [];
        await foreach (var info in host.List(status, where, query["after"] ?? "", cancellationToken).ConfigureAwait(false))
        {
            found.Add(info);
            if (found.Count == limit)
                break;
        }

        return Ok(found);
    }

    private static async Task<WorkflowApiResponse> StartAsync(WorkflowHost host, string body)
    {
        using var document = JsonDocument.Parse(body, DocumentOptions);
        var start = document.RootElement;
        if (start.ValueKind != JsonValueKind.Object || !start.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
            throw new ArgumentException("The body must be a JSON object with 'name', and optionally 'arguments', 'id' and 'metadata'.");
        var options = new WorkflowStartOptions
        {
            Id = start.TryGetProperty("id", out var id) && id.ValueKind != JsonValueKind.Null ? id.GetString() : null,
            Metadata = start.TryGetProperty("metadata", out var metadata) ? metadata.Deserialize<Dictionary<string, string>>() ?? [] : [],
        };
        var handle = await host.StartJson(name.GetString()!, options, start.TryGetProperty("arguments", out var arguments) ? arguments.GetRawText() : "[]").ConfigureAwait(false);
        return new(HttpStatusCode.Created, JsonSerializer.Serialize(handle.GetMetadata(), ServeJson.State));
    }

    /// <summary>Returns the result; 202 with the workflow if it has none within <c>wait_s</c> seconds.</summary>
    private static async Task<WorkflowApiResponse> GetOutputAsync(WorkflowHost host, string id, NameValueCollection query, CancellationToken cancellationToken)
    {
        var wait = ReadNumber(query, "wait_s", 0, 0, 86_400);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (query["step"] is null && wait == 0 && host.GetStatus(id) == WorkflowStatus.Running)
            return new(HttpStatusCode.Accepted, JsonSerializer.Serialize(host.GetMetadata(id), ServeJson.State));
        if (wait > 0)
            limit.CancelAfter(TimeSpan.FromSeconds(wait));
        try
        {
            return new(HttpStatusCode.OK, await host.GetOutputJson(id, query["step"], limit.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException late) when (late is not WorkflowCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new(HttpStatusCode.Accepted, JsonSerializer.Serialize(host.GetMetadata(id), ServeJson.State));
        }
    }

    private static async Task<WorkflowApiResponse> SendRayEventAsync(WorkflowHost host, string id, WorkflowApiRequest request)
    {
        using var body = JsonDocument.Parse(await request.ReadBody().ConfigureAwait(false), DocumentOptions);
        if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("event_key", out var key) || key.ValueKind != JsonValueKind.String
            || !body.RootElement.TryGetProperty("event_payload", out var payload))
        {
            throw new ArgumentException("The body must be a JSON object with 'event_key' and 'event_payload'.");
        }

        await host.SendEventJson(id, key.GetString()!, payload.GetRawText(), request.IdempotencyKey).ConfigureAwait(false);
        return new(HttpStatusCode.Accepted);
    }

    private static int ReadNumber(NameValueCollection query, string name, int otherwise, int min, int max) => query[name] is not { Length: > 0 } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max ? number
        : throw new ArgumentException($"{name} must be between {min} and {max}, but was '{text}'.");

    private static bool IsTrue(string? text) => string.Equals(text, "true", StringComparison.OrdinalIgnoreCase);

    private static WorkflowApiResponse Ok<T>(T document) => new(HttpStatusCode.OK, JsonSerializer.Serialize(document, ServeJson.State));

    private static WorkflowApiResponse Unknown(WorkflowApiRequest request) => Problem(HttpStatusCode.NotFound, ErrorReason.NoSuchRoute, $"The workflow API has no '{request.Method} {request.Path}'.");

    private static WorkflowApiResponse Problem(HttpStatusCode status, string reason, string detail) =>
        new(status, JsonSerializer.Serialize(new { status = (int)status, detail, reason }, ServeJson.Calls));
}
