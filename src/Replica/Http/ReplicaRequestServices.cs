using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Replica.Telemetry;
using Serve.Routes;

namespace Serve.Replica.Http;

/// <summary>
/// State of an HTTP request while it is in the replica. Replaces the services of the host by those of the replica, with a scope that is created on first use, and restores them
/// afterwards.
/// </summary>
internal sealed class ReplicaRequestServices : IServiceProvidersFeature
{
    private readonly IServiceScopeFactory _scopes;
    private readonly IServiceProvidersFeature? _outerServices;
    private readonly Endpoint? _outerEndpoint;
    private AsyncServiceScope? _scope;
    private IServiceProvider? _services;
    private RequestContext? _described;

    public ReplicaRequestServices(HttpContext context, IServiceScopeFactory scopes, Endpoint? endpoint)
    {
        _scopes = scopes;
        Context = context;
        _outerServices = context.Features.Get<IServiceProvidersFeature>();
        _outerEndpoint = context.GetEndpoint();
        context.Features.Set<IServiceProvidersFeature>(this);
        context.SetEndpoint(endpoint);
    }

    public HttpContext Context { get; }

    /// <summary>Whether services were used; if so, <see cref="DisposeScopeAsync"/> must be called before <see cref="Leave"/>.</summary>
    public bool HasScope => _scope is not null;

    /// <summary>Next middleware; null for none.</summary>
    public RequestDelegate? Next { get; set; }

    /// <summary>Metrics of the request's route.</summary>
    public ReplicaRouteMetrics? Metrics { get; set; }

    public IServiceProvider RequestServices
    {
        get => _services ??= (_scope = _scopes.CreateAsyncScope()).Value.ServiceProvider;
        set => _services = value;
    }

    /// <summary>Whether the queue of a batched method needs the request's context: its model, deadline or priority.</summary>
    public bool AffectsQueues => RequestedModelReader.Read(Context.Request) is not null || Context.Features.Get<RequestUrgency>() is not null;

    /// <summary>Creates the request context for user code and its handles; <see cref="Leave"/> ends it.</summary>
    public RequestContext Describe()
    {
        string? id = Context.Request.Headers[WireHeaderNames.RequestId];
        return _described ??= new RequestContext(
            new CallContext
            {
                RequestId = string.IsNullOrEmpty(id) ? Context.TraceIdentifier : id,
                MultiplexedModelId = RequestedModelReader.Read(Context.Request),
                Urgency = RequestUrgency.Of(Context),
            },
            Context.RequestAborted);
    }

    public ValueTask DisposeScopeAsync() => _scope?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Ends the request context, and restores services and endpoint of the host.</summary>
    public void Leave()
    {
        _described?.End();
        Context.Features.Set(_outerServices);
        Context.SetEndpoint(_outerEndpoint);
    }
}
