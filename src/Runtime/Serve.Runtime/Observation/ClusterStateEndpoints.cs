using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve.Runtime.Clusters;
using Serve.Runtime.Placement;
using Serve.Runtime.State;

namespace Serve.Runtime.Observation;

/// <summary>Read-only state API of a cluster over HTTP: Ray's paths and envelope, plus <c>timeline</c> and <c>memory</c>.</summary>
public static class ClusterStateEndpoints
{
    /// <summary>Maps the endpoints.</summary>
    /// <param name="routes">Route builder. Requests are authorized by the caller, which also converts a <see cref="DefinitionException"/> to status 400.</param>
    /// <param name="cluster">Returns the cluster, for each request.</param>
    public static void MapClusterState(this IEndpointRouteBuilder routes, Func<Cluster> cluster)
    {
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(cluster);
        var api = routes.MapGroup("/api/v0").WithTags("State");
        List(api, "tasks", () => cluster().ListTasks(), "Tasks and actor calls.");
        List(api, "actors", () => cluster().ListActors(), "Actors.");
        List(api, "objects", () => cluster().ListObjects(), "Objects tracked by the cluster.");
        List(api, "workers", () => cluster().ListWorkers(), "Worker processes.");
        List(api, "nodes", () => cluster() is DriverCluster head ? PlacementStateLister.Nodes(head.Placement) : [], "Nodes.");
        List(api, "placement_groups", () => cluster() is DriverCluster head ? PlacementStateLister.Groups(head.Placement) : [], "Placement groups.");
        One(api, "summarize", () => ClusterStateSummarizer.Summarize(cluster()), "Everything, counted.");
        One(api, "tasks/summarize", () => ClusterStateSummarizer.Summarize(cluster()).Tasks, "Tasks by function and state.");
        One(api, "actors/summarize", () => ClusterStateSummarizer.Summarize(cluster()).Actors, "Actors by class and state.");
        One(api, "objects/summarize", () => ClusterStateSummarizer.Summarize(cluster()).Objects, "Objects by location.");
        One(api, "memory", () => ClusterStateSummarizer.SummarizeMemory(cluster()), "What takes memory.");
        api.MapGet("/timeline", async (HttpContext context) =>
        {
            context.Response.ContentType = "application/json";
            await cluster().WriteTimeline(context.Response.Body, context.RequestAborted);
        }).WithSummary("Timeline in Chrome's trace event format.");
    }

    private static void List<T>(RouteGroupBuilder api, string path, Func<IReadOnlyList<T>> list, string summary) =>
        api.MapGet("/" + path, (HttpRequest request) => Answer(new StateQueryFilter(request.Query).Apply(list())))
            .WithSummary(summary).Produces<StateApiResponse<StateList<T>>>().ProducesProblem(StatusCodes.Status400BadRequest);

    private static void One<T>(RouteGroupBuilder api, string path, Func<T> get, string summary) =>
        api.MapGet("/" + path, () => Answer(get())).WithSummary(summary).Produces<StateApiResponse<T>>();

    private static IResult Answer<T>(T value) => Results.Json(new StateApiResponse<T>(true, "", new(value)), ServeJson.State);
}
