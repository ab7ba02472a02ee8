using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Serve.Workflows.Http;

/// <summary>HTTP endpoints of a workflow host.</summary>
public static class WorkflowEndpoints
{
    private static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = 512 };

    extension(IEndpointRouteBuilder application)
    {
        /// <summary>
        /// Maps <c>POST /api/workflows/{id}/events/{name}</c> with the event as the body (202 when it is durable; the header <c>Idempotency-Key</c> drops duplicates), Ray's
        /// <c>POST /event/send_event/{id}</c> with <c>event_key</c> and <c>event_payload</c>, <c>POST …/signals/{name}</c> with an array of arguments, <c>POST …/cancel</c>, <c>GET /api/workflows</c>,
        /// <c>GET …/{id}</c>, <c>GET …/{id}/history</c> and <c>GET …/{id}/queries/{name}</c>. Errors are problem details: 400, 404, and 409 for an ended workflow.
        /// </summary>
        /// <param name="workflows">The workflow host.</param>
        /// <returns>The group of endpoints, for example to require authorization.</returns>
        public RouteGroupBuilder MapWorkflows(WorkflowHost workflows)
        {
            ArgumentNullException.ThrowIfNull(workflows);
            var group = application.MapGroup("");
            group.MapPost("/api/workflows/{id}/events/{name}", (string id, string name, HttpRequest request) => Guarded(async () => await SendEvent(workflows, id, name, request)));
            group.MapPost("/event/send_event/{id}", (string id, HttpRequest request) => Guarded(async () => await SendRayEvent(workflows, id, request)));
            group.MapPost("/api/workflows/{id}/signals/{name}", (string id, string name, HttpRequest request) => Guarded(async () =>
            {
                await workflows.SignalJson(id, name, await ReadText(request), KeyOf(request));
                return Results.Accepted();
            }));
            group.MapPost("/api/workflows/{id}/cancel", (string id, string? reason) => Guarded(async () =>
            {
                await workflows.Cancel(id, reason ?? "it was canceled over HTTP");
                return Results.Accepted();
            }));
            group.MapGet("/api/workflows", (WorkflowStatus? status, CancellationToken stop) => Results.Json(workflows.List(status, null, stop), ServeJson.State));
            group.MapGet("/api/workflows/{id}", (string id) => Guarded(() => Task.FromResult(Results.Json(workflows.GetMetadata(id), ServeJson.State))));
            group.MapGet("/api/workflows/{id}/history", (string id) => Guarded(() => Task.FromResult(Results.Json(workflows.GetHistory(id), ServeJson.State))));
            group.MapGet("/api/workflows/{id}/queries/{name}", (string id, string name) => Guarded(async () => Results.Text(await workflows.Query(id, name), "application/json")));
            return group;
        }
    }

    private static async Task<IResult> SendEvent(WorkflowHost workflows, string id, string name, HttpRequest request)
    {
        await workflows.SendEventJson(id, name, await ReadText(request), KeyOf(request));
        return Results.Accepted();
    }

    private static async Task<IResult> SendRayEvent(WorkflowHost workflows, string id, HttpRequest request)
    {
        using var body = JsonDocument.Parse(await ReadText(request), DocumentOptions);
        if (body.RootElement.ValueKind != JsonValueKind.Object || !body.RootElement.TryGetProperty("event_key", out var key) || key.ValueKind != JsonValueKind.String
            || !body.RootElement.TryGetProperty("event_payload", out var payload))
        {
            throw new ArgumentException("The body must be a JSON object with 'event_key' and 'event_payload'.");
        }

        await workflows.SendEventJson(id, key.GetString()!, payload.GetRawText(), KeyOf(request));
        return Results.Accepted();
    }

    private static async Task<string> ReadText(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        return await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
    }

    private static string? KeyOf(HttpRequest request) => request.Headers["Idempotency-Key"] is [{ Length: > 0 } key] ? key : null;

    private static async Task<IResult> Guarded(Func<Task<IResult>> handle)
    {
        try
        {
            return await handle();
        }
        catch (WorkflowNotFoundException failure)
        {
            return Results.Problem(failure.Message, statusCode: StatusCodes.Status404NotFound);
        }
        catch (WorkflowStatusException failure)
        {
            return Results.Problem(failure.Message, statusCode: StatusCodes.Status409Conflict);
        }
        catch (WorkflowLimitException failure)
        {
            return Results.Problem(failure.Message, statusCode: StatusCodes.Status413PayloadTooLarge);
        }
        catch (Exception failure) when (failure is ArgumentException or JsonException)
        {
            return Results.Problem(failure.Message, statusCode: StatusCodes.Status400BadRequest);
        }
    }
}
