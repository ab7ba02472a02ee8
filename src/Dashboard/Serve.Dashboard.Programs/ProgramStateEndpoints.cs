using System.Collections.Specialized;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve.Http;
using Serve.Runtime.Clusters;
using Serve.Runtime.State;

namespace Serve.Dashboard.Programs;

/// <summary>The state API of a program's cluster, and the actions of the pages.</summary>
internal static class ProgramStateEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    /// <param name="routes">The server.</param>
    /// <param name="cluster">The cluster.</param>
    public static void MapProgramState(this IEndpointRouteBuilder routes, DriverCluster cluster)
    {
        foreach (var resource in ClusterStateApi.Resources)
            routes.MapGet($"{ClusterStateApi.Root}/{resource.Path}", (HttpRequest request) => Results.Json(resource.Get(cluster, ReadQuery(request)), ServeJson.State));
        routes.MapGet($"{ClusterStateApi.Root}/{ClusterStateApi.TimelinePath}", async (int? limit, HttpContext context) =>
        {
            context.Response.ContentType = "application/json";
            await ClusterStateApi.WriteTimelineAsync(cluster, limit is > 0 ? limit : null, context.Response.Body, TimeProvider.System.GetUtcNow(), context.RequestAborted);
        });
        routes.MapPost("/api/v1/tasks/{task}/cancel", (string task, CancelRequest? body) => cluster.TryCancelTask(task, body?.Force is true) ? Results.Ok() : Results.NotFound());
        routes.MapPost("/api/v1/actors/{actor}/kill", (string actor, KillRequest? body) => cluster.TryKillActor(actor, body?.NoRestart is not false) ? Results.Ok() : Results.NotFound());
    }

    /// <summary>Converts exceptions to problem documents.</summary>
    public static async Task ReportErrorsAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (DefinitionException invalid)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status400BadRequest, ErrorReason.BadInput, invalid.Message);
        }
        catch (ObjectDisposedException disposed)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, ErrorReason.Unreachable, $"The cluster was disposed: {disposed.Message}");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The browser has disconnected.
        }
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

    private sealed record CancelRequest
    {
        public bool? Force { get; init; }
    }

    private sealed record KillRequest
    {
        [System.Text.Json.Serialization.JsonPropertyName("no_restart")]
        public bool? NoRestart { get; init; }
    }
}
