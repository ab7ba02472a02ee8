using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Admin;
using Serve.Controller.Applications;
using Serve.Http;
using Serve.Runtime.Clusters;
using Serve.Specs;

namespace Serve.Controller.AdminApi;

/// <summary>The admin REST API: Ray Serve's paths and payloads, and additions of this platform.</summary>
public static class AdminApiEndpoints
{
    private const string Applications = "/api/serve/applications";
    private const int MaxDecisions = 1000;
    private const string Health = "/-/healthz";

    /// <summary>Maps the admin API on a server of its own, behind the request guard.</summary>
    /// <param name="app">The server; <see cref="ControllerServiceCollectionExtensions"/> registers its services.</param>
    /// <param name="guard">Restrictions on callers.</param>
    public static WebApplication MapServeAdmin(this WebApplication app, RequestGuardOptions guard)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Use((context, next) => Refuse(context.Request, guard) is { } refusal
            ? ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail)
            : next(context));
        app.UseAdminErrors(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(AdminErrorHandler)));
        app.UseAdminDocs();
        app.UseRouting();

        var options = app.Services.GetRequiredService<ControllerOptions>();
        var api = app.MapGroup("").AddEndpointFilter(async (context, next) =>
        {
            if (context.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            {
                var isUpload = context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<PackageUploadAttribute>() is not null;
                size.MaxRequestBodySize = isUpload ? options.MaxPackageBytes : options.MaxRequestBodyBytes;
            }

            return await next(context);
        });
        MapApplications(api);
        MapNode(api);
        app.MapAdminDocs();
        if (app.Services.GetService<Cluster>() is { } cluster)
        {
            api.MapClusterState(cluster);
            api.MapWorkflows(cluster);
            if (cluster is DriverCluster driver)
                api.MapClusterActions(driver);
        }

        api.MapNodeLogs();
        api.MapGet("/api/v1/applications/{application}/logs", ReplicaLogEndpoint.HandleAsync)
            .WithTags("Logs").WithSummary("Streams the last log lines of an application's replicas, and new ones with 'follow'.")
            .Produces<string>(StatusCodes.Status200OK, "text/plain");
        api.MapPost("/api/v1/packages", PackageUploadEndpoint.HandleAsync).WithMetadata(new PackageUploadAttribute())
            .WithTags("Applications").WithSummary("Uploads a built application as a zip file.")
            .Accepts<IFormFile>("application/zip", "*/*").Produces<UploadedPackageReference>();
        api.MapGet("/metrics", NodeMetricsEndpoint.HandleAsync)
            .WithTags("Node").WithSummary("Gets the metrics of the node in the Prometheus text format.").Produces<string>(StatusCodes.Status200OK, "text/plain");
        return app;
    }

    // Kubelets ask for the health by the address of the pod, without a token. Browsers open the documentation, which contains no secrets, without one.
    private static RequestGuardRefusal? Refuse(HttpRequest request, RequestGuardOptions guard)
    {
        if (request.Path == Health)
            return null;
        var refusal = RequestGuard.Check(request, guard);
        return refusal is { Status: StatusCodes.Status401Unauthorized } && AdminApiDocumentation.Contains(request.Path) ? null : refusal;
    }

    private static void MapApplications(IEndpointRouteBuilder api)
    {
        api.MapGet(Applications, (ServeController controller) => Json(controller.GetDetails()))
            .WithTags("Applications").WithSummary("Gets the status of all applications.").Produces<ServeInstanceDetails>();
        api.MapPut(Applications, async (HttpRequest request, ServeController controller, CancellationToken cancellationToken) =>
            {
                await controller.DeployAsync(ServeConfigReader.Read(await BodyAsync(request)), cancellationToken);
                return Results.Ok();
            })
            .WithTags("Applications").WithSummary("Applies a full configuration: deploys its applications and deletes all others.")
            .Accepts<ServeConfig>("application/json", "*/*").Produces(StatusCodes.Status200OK).ProducesProblem(400).ProducesProblem(409);
        api.MapDelete(Applications, async (ServeController controller, CancellationToken cancellationToken) =>
            {
                await controller.DeleteAllAsync(cancellationToken);
                return Results.Ok();
            })
            .WithTags("Applications").WithSummary("Deletes every application.").Produces(StatusCodes.Status200OK);
        api.MapGet(Applications + "/{application}", (string application, ServeController controller) =>
                Json(controller.GetDetails(application) ?? throw ApplicationNotFoundException.Of(application, controller.GetDetails().Applications.Keys)))
            .WithTags("Applications").WithSummary("Gets the status of one application.").Produces<ApplicationDetails>().ProducesProblem(404);
        api.MapPut(Applications + "/{application}", async (string application, HttpRequest request, ServeController controller, CancellationToken cancellationToken) =>
            {
                await controller.DeployAsync(ServeConfigReader.ReadApplication(await BodyAsync(request), application), cancellationToken);
                return Results.Ok();
            })
            .WithTags("Applications").WithSummary("Deploys one application; the others are unchanged.")
            .Accepts<ApplicationConfig>("application/json", "*/*").Produces(StatusCodes.Status200OK).ProducesProblem(400);
        api.MapDelete(Applications + "/{application}", async (string application, ServeController controller, CancellationToken cancellationToken) =>
            {
                await controller.DeleteAsync(application, cancellationToken);
                return Results.Ok();
            })
            .WithTags("Applications").WithSummary("Drains and deletes one application.").Produces(StatusCodes.Status200OK).ProducesProblem(404);
        api.MapGet("/api/v1/applications/{application}/revisions", (string application, ServeController controller) =>
                Json(controller.GetRevisions(application) ?? throw ApplicationNotFoundException.Of(application, controller.GetDetails().Applications.Keys)))
            .WithTags("Applications").WithSummary("Gets the revisions of an application, newest first.").Produces<RevisionDetailsList>().ProducesProblem(404);
        api.MapPost("/api/v1/applications/{application}/rollback", async (string application, HttpRequest request, ServeController controller, CancellationToken cancellationToken) =>
            {
                await controller.RollBackAsync(application, Revision(await BodyAsync(request)), cancellationToken);
                return Results.Ok();
            })
            .WithTags("Applications").WithSummary("Ends the canary of an application, or deploys an earlier revision again.")
            .Accepts<RollbackRequest>("application/json", "*/*").Produces(StatusCodes.Status200OK).ProducesProblem(400).ProducesProblem(404);
        api.MapPost("/api/v1/applications/{application}/redeploy", async (string application, ServeController controller, CancellationToken cancellationToken) =>
                Json(new { Changed = await controller.RedeployAsync(application, cancellationToken) }))
            .WithTags("Applications").WithSummary("Builds the source of an application again and deploys it with the same settings.")
            .Produces(StatusCodes.Status200OK).ProducesProblem(400).ProducesProblem(404);
        api.MapPost("/api/v1/applications/{application}/promote", async (string application, ServeController controller, CancellationToken cancellationToken) =>
            {
                await controller.PromoteAsync(application, cancellationToken);
                return Results.Ok();
            })
            .WithTags("Applications").WithSummary("Lets the canary of an application replace its stable revision.")
            .Produces(StatusCodes.Status200OK).ProducesProblem(400).ProducesProblem(404);
        api.MapPost("/api/v1/applications/{application}/canary", async (string application, HttpRequest request, ServeController controller, CancellationToken cancellationToken) =>
            {
                await controller.ChangeCanaryAsync(application, Percent(await BodyAsync(request)), cancellationToken);
                return Results.Ok();
            })
            .WithTags("Applications").WithSummary("Changes the share of an application's canary, and ends its automatic promotion.")
            .Accepts<ChangeCanaryRequest>("application/json", "*/*").Produces(StatusCodes.Status200OK).ProducesProblem(400).ProducesProblem(404);
        api.MapPost("/api/v1/applications/{application}/deployments/{deployment}/scale",
                async (string application, string deployment, HttpRequest request, ServeController controller, CancellationToken cancellationToken) =>
                {
                    await controller.ScaleAsync(new(application, deployment), Replicas(await BodyAsync(request)), cancellationToken);
                    return Results.Ok();
                })
            .WithTags("Applications").WithSummary("Sets the number of replicas of a deployment.")
            .Accepts<ScaleDeploymentRequest>("application/json", "*/*").Produces(StatusCodes.Status200OK).ProducesProblem(400).ProducesProblem(404);
    }

    private static void MapNode(IEndpointRouteBuilder api)
    {
        api.MapGet("/api/v1/decisions", (string? application, string? deployment, string? kind, string? q, long? before, int? limit, ServeController controller) =>
                limit is < 1 or > MaxDecisions
                    ? throw new DefinitionException($"limit must be from 1 to {MaxDecisions}, but was {limit}.")
                    : Json(controller.Decisions.List(new(NullIfEmpty(application), NullIfEmpty(deployment), NullIfEmpty(kind), NullIfEmpty(q)), before, limit ?? 100)))
            .WithTags("Node").WithSummary("Gets the newest decisions of the controller with their reasons, newest first.").Produces<ControlDecisionList>().ProducesProblem(400);
        api.MapGet("/api/v1/nodes", (ServeController controller) => Json(controller.GetNodes()))
            .WithTags("Node").WithSummary("Gets the nodes with their resources, workers and addresses.").Produces<NodeDetailsList>();
        api.MapPost("/api/v1/drain", (ServeController controller) =>
            {
                controller.Leave();
                return Results.Ok();
            })
            .WithTags("Node").WithSummary("Reports the node as not ready while it keeps serving, for load balancers, before it is shut down.").Produces(StatusCodes.Status200OK);
        api.MapPost("/api/v1/shutdown", async (HttpContext context, ServeController controller, CancellationToken cancellationToken) =>
            {
                var report = await controller.ShutdownAsync(cancellationToken);
                context.Response.OnCompleted(() =>
                {
                    controller.RequestShutdown();
                    return Task.CompletedTask;
                });
                return Json(report);
            })
            .WithTags("Node").WithSummary("Drains and stops all replicas, then the node. The stored state is kept.").Produces<NodeShutdownReport>();
        api.MapMethods(Health, [HttpMethods.Head], static () => Results.Text("success")).ExcludeFromDescription();
        api.MapGet(Health, () => Results.Text("success")).WithTags("Node").WithSummary("Checks whether the node responds.").Produces<string>(200, "text/plain");
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static IResult Json<T>(T value) => Results.Json(value, ServeJson.Options);

    private static async Task<JsonNode?> BodyAsync(HttpRequest request) =>
        await JsonNode.ParseAsync(request.Body, documentOptions: new() { MaxDepth = 64 }, cancellationToken: request.HttpContext.RequestAborted);

    private static long? Revision(JsonNode? body) => body switch
    {
        JsonObject { Count: 0 } => null,
        JsonObject { Count: 1 } map when map.ContainsKey("revision") && map["revision"] is null => null,
        JsonObject { Count: 1 } map when map["revision"] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<long>(out var revision) => revision,
        _ => throw new DefinitionException("The body must be {\"revision\": N}, where N is the number of a revision, or {}."),
    };

    private static double Percent(JsonNode? body) =>
        body is JsonObject { Count: 1 } map && map["percent"] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<double>(out var percent)
            ? percent
            : throw new DefinitionException("The body must be {\"percent\": N}, where N is a number from 0 to 100.");

    private static int Replicas(JsonNode? body)
    {
        if (body is JsonObject { Count: 1 } map && map["target_num_replicas"] is JsonValue value
            && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<int>(out var replicas))
            return replicas;
        throw new DefinitionException("The body must be {\"target_num_replicas\": N}, where N is an integer from 0 to 10000.");
    }
}
