using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Serve.Replica.Instances;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Http;

/// <summary>Endpoints of a replica. If <c>Call</c> is the only one, and there is no middleware, requests bypass routing; otherwise ASP.NET Core routes them. Immutable.</summary>
internal sealed class ReplicaEndpointRouter
{
    private readonly Endpoint? _single;
    private readonly EndpointMetadataValidator _validator;
    private readonly IReadOnlyList<Endpoint> _endpoints;

    /// <param name="services">Services of the replica.</param>
    /// <param name="parts">The deployment's object, its batched methods and its metrics.</param>
    /// <param name="turns">Runs the steps of streams.</param>
    /// <param name="run">Runs a request, for which an endpoint may have been found, in turns.</param>
    /// <param name="end">Responds to a request without an endpoint.</param>
    /// <exception cref="InvalidOperationException">A method cannot be bound; the message of ASP.NET Core names the parameter and the reason.</exception>
    public ReplicaEndpointRouter(
        IServiceProvider services, ReplicaComponents parts, ActorTurnScheduler turns, Func<HttpContext, RequestDelegate, Task> run, RequestDelegate end)
    {
        var (target, replica) = (parts.Target!, parts.Metrics!);
        var registered = services.GetRequiredService<MetadataMiddlewareSelection>().Registered;
        var app = new ApplicationBuilder(services);
        app.UseRouting();
        var own = new IngressMiddlewareBuilder(app.New());
        (target as IIngress)?.Configure(own);
        if (own.IsEmpty)
        {
            // They run no code of the deployment's object, so they need no turn.
            foreach (var middleware in registered)
                middleware.AddTo(app);
        }

        app.Use(next => context => run(context, next));
        app.Use(own.BuildBefore);
        app.Use(PreflightGuard.Before);
        app.UseEndpoints(builder =>
        {
            var group = builder.MapGroup("");
            StreamEndpointFilter.AddTo(group, turns, parts.Batches!);
            ((IEndpointConventionBuilder)group).Add(endpoint => endpoint.Metadata.Add(replica.ForRoute(RouteOf(endpoint))));
            ReplicaEndpointBuilder.Map(group, target, parts.Batches!);
        });
        app.Run(end);
        HasOwnMiddleware = !own.IsEmpty;
        Pipeline = app.Build();
        _validator = new(services, middleware => own.IsEmpty ? registered.Contains(middleware) : own.Contains(middleware), registered.Contains, HasOwnMiddleware);

        // Enumerated now, so that a method that cannot be bound fails the start and not the first request.
        _endpoints = services.GetRequiredService<EndpointDataSource>().Endpoints;
        Descriptions = [.. _endpoints.Select(Describe).Distinct()];
        if (_endpoints is [RouteEndpoint only] && own.IsEmpty && registered.IsEmpty && IsPlainCall(only))
        {
            _single = only;
            SingleMetrics = MetricsOf(only);
            SingleIsBatched = IsBatched(only);
            SingleBlocks = only.Metadata.GetMetadata<BlockingAttribute>() is not null;
        }
    }

    /// <summary>Routes a request and runs its endpoint.</summary>
    public RequestDelegate Pipeline { get; }

    /// <summary>Whether the class adds middleware, which also receives requests without an endpoint.</summary>
    public bool HasOwnMiddleware { get; }

    public ReplicaRouteMetrics? SingleMetrics { get; }

    public bool SingleBlocks { get; }

    public bool SingleIsBatched { get; }

    /// <summary>Display names of all endpoints, such as <c>GET /square/{x}</c>.</summary>
    public IReadOnlyList<string> Descriptions { get; }

    /// <summary>Returns the only endpoint, if it accepts an HTTP method; null if routing is needed.</summary>
    public Endpoint? FindSingle(string method) => _single is { } single && ReplicaEndpointBuilder.IsCallMethod(method) ? single : null;

    /// <summary>Checks that the metadata of all endpoints has its effect.</summary>
    /// <exception cref="DefinitionException">Middleware, a policy or a scheme is missing; lists all.</exception>
    public Task ValidateAsync() => _validator.ValidateAsync(_endpoints.Select(endpoint => (endpoint, Describe(endpoint))));

    /// <summary>Returns the metrics of an endpoint; null for endpoints that routing creates, for example for a wrong HTTP method.</summary>
    public static ReplicaRouteMetrics? MetricsOf(Endpoint endpoint) => endpoint.Metadata.GetMetadata<ReplicaRouteMetrics>();

    /// <summary>Returns whether an endpoint waits for a batch.</summary>
    public static bool IsBatched(Endpoint endpoint) => endpoint.Metadata.GetMetadata<BatchAttribute>() is not null;

    // Routing also enforces attributes (size limits, hosts), so a Call with such attributes cannot bypass it.
    private static bool IsPlainCall(RouteEndpoint endpoint) =>
        endpoint.RoutePattern.PathSegments.Count == 0
        && ReferenceEquals(endpoint.Metadata.GetMetadata<IHttpMethodMetadata>(), ReplicaEndpointBuilder.CallMethods)
        && !endpoint.Metadata.OfType<Attribute>().Any(attribute => attribute is not (BlockingAttribute or BatchAttribute) && ReplicaEndpointBuilder.IsForHttp(attribute));

    private static string RouteOf(EndpointBuilder endpoint) =>
        endpoint is RouteEndpointBuilder route ? RouteOf(route.RoutePattern) : endpoint.DisplayName ?? "/";

    private static string RouteOf(RoutePattern pattern) => "/" + pattern.RawText?.TrimStart('/');

    private static string Describe(Endpoint endpoint)
    {
        var verbs = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods;
        return $"{(verbs is null ? "any method" : string.Join("|", verbs))} {(endpoint is RouteEndpoint route ? RouteOf(route.RoutePattern) : endpoint.DisplayName)}";
    }
}
