using System.Collections.Specialized;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
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

        api.MapGet("/" + ClusterStateApi.TimelinePath, async (HttpContext context) =>
        {
            context.Response.ContentType = "application/json";
            await cluster.WriteTimeline(context.Response.Body, context.RequestAborted);
        }).WithSummary("Gets the timeline of tasks in Chrome's trace format.");
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
