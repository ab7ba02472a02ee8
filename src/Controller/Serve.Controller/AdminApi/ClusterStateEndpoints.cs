using System.Collections.Specialized;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve.Controller.Applications;
using Serve.Runtime.Clusters;
using Serve.Runtime.State;

namespace Serve.Controller.AdminApi;

/// <summary>The state API of the node's cluster as endpoints of the admin API. Holds no state.</summary>
internal static class ClusterStateEndpoints
{
    /// <summary>Maps the API.</summary>
    /// <param name="routes">Where it is mapped; authorization is checked before, and a <see cref="DefinitionException"/> is answered with 400.</param>
    /// <param name="cluster">The cluster.</param>
    public static void MapClusterState(this IEndpointRouteBuilder routes, Cluster cluster)
    {
        var api = routes.MapGroup(ClusterStateApi.Root).WithTags("State");
        foreach (var resource in ClusterStateApi.Resources)
        {
            var endpoint = api.MapGet("/" + resource.Path, (HttpRequest request) => Results.Json(resource.Get(cluster, ReadQuery(request)), ServeJson.State))
                .WithSummary(resource.Summary).Produces(StatusCodes.Status200OK, resource.ResponseType);
            if (resource.IsList)
                endpoint.ProducesProblem(StatusCodes.Status400BadRequest);
        }

        api.MapGet("/" + ClusterStateApi.TimelinePath, async (int? limit, HttpContext context, TimeProvider time) =>
        {
            if (limit <= 0)
                throw new DefinitionException($"limit must be at least 1, but was {limit}.");
            context.Response.ContentType = "application/json";
            await ClusterStateApi.WriteTimelineAsync(cluster, limit, context.Response.Body, time.GetUtcNow(), context.RequestAborted);
        }).WithSummary("Gets the timeline of tasks in Chrome's trace format; with 'limit' of the newest tasks.").ProducesProblem(StatusCodes.Status400BadRequest);
    }

    /// <summary>Maps the actions on tasks and actors.</summary>
    /// <param name="routes">Where they are mapped.</param>
    /// <param name="cluster">The cluster.</param>
    public static void MapClusterActions(this IEndpointRouteBuilder routes, DriverCluster cluster)
    {
        routes.MapPost("/api/v1/tasks/{task}/cancel", async (string task, HttpRequest request) => cluster.TryCancelTask(task, await FlagAsync(request, "force", defaultValue: false))
                ? Results.Ok()
                : throw new ApplicationNotFoundException($"No unfinished task or actor call has the id '{task}'."))
            .WithTags("State").WithSummary("Cancels a task or an actor call: body {\"force\": false}; 'force' kills the worker that runs it.")
            .Produces(StatusCodes.Status200OK).ProducesProblem(StatusCodes.Status404NotFound);
        routes.MapPost("/api/v1/actors/{actor}/kill", async (string actor, HttpRequest request) => cluster.TryKillActor(actor, await FlagAsync(request, "no_restart", defaultValue: true))
                ? Results.Ok()
                : throw new ApplicationNotFoundException($"No live actor has the id '{actor}'. Replicas are stopped by scaling their deployment."))
            .WithTags("State").WithSummary("Kills an actor: body {\"no_restart\": true}.")
            .Produces(StatusCodes.Status200OK).ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<bool> FlagAsync(HttpRequest request, string name, bool defaultValue)
    {
        if (request.ContentLength is null or 0)
            return defaultValue;
        return await JsonNode.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted) is JsonObject { Count: <= 1 } body && (body.Count == 0 || body.ContainsKey(name))
            ? body[name] switch
            {
                null => defaultValue,
                JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
                _ => throw new DefinitionException($"{name} must be true or false."),
            }
            : throw new DefinitionException($"The body must be {{\"{name}\": true}} or {{}}.");
    }

    private static NameValueCollection ReadQuery(HttpRequest request)
    {
        var query = new NameValueCollection();
        foreach (var (key, values) in request.Query)
        {
            foreach (var value in values)
                query.Add(key, value);
        }

        return query;
    }
}
