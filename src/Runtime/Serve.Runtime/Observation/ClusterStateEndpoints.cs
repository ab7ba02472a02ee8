using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve.Runtime.Clusters;
using Serve.Runtime.Placement;
using Serve.Runtime.State;

namespace Serve.Runtime.Observation;

/// <summary>The state API of a cluster over HTTP: Ray's paths and envelope, and <c>timeline</c> and <c>memory</c>, which Ray has elsewhere. Reads only. Holds no state.</summary>
public static class ClusterStateEndpoints
{
    /// <summary>Maps it.</summary>
    /// <param name="routes">Where to; whoever may come here has been checked before, and a <see cref="DefinitionException"/> is answered with 400.</param>
    /// <param name="cluster">Finds the cluster, for each request anew.</param>
    public static void MapClusterState(this IEndpointRouteBuilder routes, Func<Cluster> cluster)
    {
        ArgumentNullException.ThrowIfNull(routes);
        ArgumentNullException.ThrowIfNull(cluster);
        var api = routes.MapGroup("/api/v0").WithTags("State");
        List(api, "tasks", () => cluster().ListTasks(), "Tasks and calls of actors.");
        List(api, "actors", () => cluster().ListActors(), "Actors.");
        List(api, "objects", () => cluster().ListObjects(), "Objects that the cluster keeps track of.");
        List(api, "workers", () => cluster().ListWorkers(), "Worker processes.");
        List(api, "nodes", () => cluster() is DriverCluster head ? PlacementStateLister.Nodes(head.Placement) : [], "Nodes.");
        List(api, "placement_groups", () => cluster() is DriverCluster head ? PlacementStateLister.Groups(head.Placement) : [], "Placement groups.");
        One(api, "summarize", () => ClusterStateSummarizer.Summarize(cluster()), "Everything, counted.");
        One(api, "tasks/summarize", () => ClusterStateSummarizer.Summarize(cluster()).Tasks, "Tasks by function and state.");
        One(api, "actors/summarize", () => ClusterStateSummarizer.Summarize(cluster()).Actors, "Actors by class and state.");
        One(api, "objects/summarize", () => ClusterStateSummarizer.Summarize(cluster()).Objects, "Objects by where they are.");
        One(api, "memory", () => ClusterStateSummarizer.SummarizeMemory(cluster()), "What takes memory.");
        api.MapGet("/timeline", async (HttpContext context) =>
        {
            context.Response.ContentType = "application/json";
            await cluster().WriteTimeline(context.Response.Body, context.RequestAborted);
        }).WithSummary("What ran when, in Chrome's trace format.");
    }

    private static void List<T>(RouteGroupBuilder api, string path, Func<IReadOnlyList<T>> list, string summary) =>
        api.MapGet("/" + path, (HttpRequest request) => Answer(new StateQueryFilter(request.Query).Apply(list())))
            .WithSummary(summary).Produces<StateApiResponse<StateList<T>>>().ProducesProblem(StatusCodes.Status400BadRequest);

    private static void One<T>(RouteGroupBuilder api, string path, Func<T> get, string summary) =>
        api.MapGet("/" + path, () => Answer(get())).WithSummary(summary).Produces<StateApiResponse<T>>();

    private static IResult Answer<T>(T value) => Results.Json(new StateApiResponse<T>(true, "", new(value)), ServeJson.State);
}
