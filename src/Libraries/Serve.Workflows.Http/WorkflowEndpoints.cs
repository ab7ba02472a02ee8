using System.Collections.Specialized;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Serve.Workflows.Api;

namespace Serve.Workflows.Http;

/// <summary>HTTP endpoints of a workflow host.</summary>
public static class WorkflowEndpoints
{
    extension(IEndpointRouteBuilder application)
    {
        /// <summary>
        /// Maps the workflow API: <c>POST /api/workflows/{id}/events/{name}</c> with the event as the body (202 when it is durable; the header <c>Idempotency-Key</c> drops duplicates), Ray's
        /// <c>POST /event/send_event/{id}</c> with <c>event_key</c> and <c>event_payload</c>, <c>POST …/signals/{name}</c> with an array of arguments, <c>POST …/cancel</c>, <c>POST …/resume</c>,
        /// <c>POST /api/workflows</c> with <c>name</c>, <c>arguments</c>, <c>id</c> and <c>metadata</c>, <c>GET /api/workflows</c>, <c>GET</c> and <c>DELETE …/{id}</c>, <c>GET …/{id}/history</c>,
        /// <c>GET …/{id}/output</c> and <c>GET …/{id}/queries/{name}</c>. Errors are problem details: 400, 404, and 409 for an ended workflow.
        /// </summary>
        /// <param name="workflows">The workflow host.</param>
        /// <returns>The group of endpoints, for example to require authorization.</returns>
        public RouteGroupBuilder MapWorkflows(WorkflowHost workflows)
        {
            ArgumentNullException.ThrowIfNull(workflows);
            var group = application.MapGroup("");
            group.Map(WorkflowApi.Root + "/{**path}", context => RespondAsync(workflows, context, WorkflowApi.Root));
            group.Map(WorkflowApi.RayEvents + "/{id}", context => RespondAsync(workflows, context, WorkflowApi.RayEvents));
            return group;
        }
    }

    private static async Task RespondAsync(WorkflowHost workflows, HttpContext context, string root)
    {
        var request = context.Request;
        var query = new NameValueCollection();
        foreach (var (name, values) in request.Query)
            query.Add(name, values);
        using var reader = new StreamReader(request.Body);

        // The undecoded path, so that a name can contain a slash; below the prefix at which the endpoints are mapped.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2)[0];
        var path = target[Math.Max(0, target.IndexOf(root, StringComparison.OrdinalIgnoreCase))..];
        var response = await WorkflowApi.RespondAsync(
            workflows, new(request.Method, path, query, request.Headers["Idempotency-Key"] is [{ Length: > 0 } key] ? key : null, () => reader.ReadToEndAsync(context.RequestAborted)), context.RequestAborted);
        context.Response.StatusCode = (int)response.Status;
        context.Response.ContentType = response.ContentType;
        await context.Response.WriteAsync(response.Json, context.RequestAborted);
    }
}
