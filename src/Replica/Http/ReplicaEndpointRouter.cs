using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Serve.Replica.Instances;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Http;

/// <summary>Endpoints of a replica. If <c>Call</c> is the only one, requests bypass routing; otherwise ASP.NET Core routes them. Immutable.</summary>
internal sealed class ReplicaEndpointRouter
{
    /// <exception cref="InvalidOperationException">A method cannot be bound; the message of ASP.NET Core names the parameter and the reason.</exception>
    public ReplicaEndpointRouter(
        IServiceProvider services, ReplicaComponents parts, ActorTurnScheduler turns, Func<HttpContext, RequestDelegate, Task> run)
    {
        var (target, replica) = (parts.Target!, parts.Metrics!);
        var app = new ApplicationBuilder(services);
        app.UseRouting();
        app.Use(next => context => run(context, next));
        app.UseEndpoints(builder =>
        {
            var group = builder.MapGroup("");
            StreamEndpointFilter.AddTo(group, turns, parts.Batches!);
            ((IEndpointConventionBuilder)group).Add(endpoint => endpoint.Metadata.Add(replica.ForRoute(RouteOf(endpoint))));
            ReplicaEndpointBuilder.Map(group, target, parts.Batches!);
        });
        Pipeline = app.Build();

        // Enumerated now, so that a method that cannot be bound fails the start and not the first request.
        var endpoints = services.GetRequiredService<EndpointDataSource>().Endpoints;
        Descriptions = [.. endpoints.Select(Describe).Distinct()];
        if (endpoints is [RouteEndpoint only] && target is not IIngress && IsPlainCall(only))
        {
            Single = only;
            SingleMetrics = MetricsOf(only);
            SingleIsBatched = IsBatched(only);
            SingleBlocks = only.Metadata.GetMetadata<BlockingAttribute>() is not null;
        }
    }

    /// <summary>Routes a request and runs its endpoint.</summary>
    public RequestDelegate Pipeline { get; }

    /// <summary>The only endpoint; null if routing is needed.</summary>
    public Endpoint? Single { get; }

    public ReplicaRouteMetrics? SingleMetrics { get; }

    public bool SingleBlocks { get; }

    public bool SingleIsBatched { get; }

    /// <summary>Display names of all endpoints, such as <c>GET /square/{x}</c>.</summary>
    public IReadOnlyList<string> Descriptions { get; }

    /// <summary>Returns the metrics of an endpoint; null for endpoints that routing creates, for example for a wrong HTTP method.</summary>
    public static ReplicaRouteMetrics? MetricsOf(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ReplicaRouteMetrics>();

    /// <summary>Returns whether an endpoint waits for a batch.</summary>
    public static bool IsBatched(Endpoint endpoint) => endpoint.Metadata.GetMetadata<BatchAttribute>() is not null;

    // Routing also enforces attributes (size limits, authorization), so a Call with such attributes cannot bypass it.
    private static bool IsPlainCall(RouteEndpoint endpoint) =>
        endpoint.RoutePattern.PathSegments.Count == 0
        && endpoint.Metadata.GetMetadata<IHttpMethodMetadata>() is null
        && !endpoint.Metadata.OfType<Attribute>().Any(attribute =>
            attribute is not (BlockingAttribute or BatchAttribute) && attribute.GetType().Namespace?.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) == true);

    private static string RouteOf(EndpointBuilder endpoint) =>
        endpoint is RouteEndpointBuilder route ? RouteOf(route.RoutePattern) : endpoint.DisplayName ?? "/";

    private static string RouteOf(RoutePattern pattern) => "/" + pattern.RawText?.TrimStart('/');

    private static string Describe(Endpoint endpoint)
    {
        var verbs = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods;
        return $"{(verbs is null ? "any method" : string.Join("|", verbs))} {(endpoint is RouteEndpoint route ? RouteOf(route.RoutePattern) : endpoint.DisplayName)}";
    }
}
