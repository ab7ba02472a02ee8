using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Replica.Telemetry;
using Serve.Routes;

namespace Serve.Replica.Http;

/// <summary>
/// One HTTP request while it is in the replica: lends it the replica's services in place of the host's, with a scope only once somebody
/// asks, and gives the host's back. Written by the request's own flow.
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
        this._scopes = scopes;
        Context = context;
        _outerServices = context.Features.Get<IServiceProvidersFeature>();
        _outerEndpoint = context.GetEndpoint();
        context.Features.Set<IServiceProvidersFeature>(this);
        context.SetEndpoint(endpoint);
    }

    public HttpContext Context { get; }

    /// <summary>Whether services were asked for, so that leaving takes <see cref="DisposeScopeAsync"/> first.</summary>
    public bool HasScope => _scope is not null;

    /// <summary>The next piece of the pipeline, when there is one.</summary>
    public RequestDelegate? Next { get; set; }

    /// <summary>Counts this request.</summary>
    public ReplicaRouteMetrics? Metrics { get; set; }

    public IServiceProvider RequestServices
    {
        get => _services ??= (_scope = _scopes.CreateAsyncScope()).Value.ServiceProvider;
        set => _services = value;
    }

    /// <summary>Whether it asks for a model.</summary>
    public bool HasModel => RequestedModelReader.Read(Context.Request) is not null;

    /// <summary>What user code and its handles see of this request; ended by <see cref="Leave"/>.</summary>
    public RequestContext Describe()
    {
        string? id = Context.Request.Headers[WireHeaderNames.RequestId];
        return _described ??= new RequestContext(
            new CallContext { RequestId = string.IsNullOrEmpty(id) ? Context.TraceIdentifier : id, MultiplexedModelId = RequestedModelReader.Read(Context.Request) },
            Context.RequestAborted);
    }

    public ValueTask DisposeScopeAsync() => _scope?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Ends the request for user code and gives the host its services and endpoint back.</summary>
    public void Leave()
    {
        _described?.End();
        Context.Features.Set(_outerServices);
        Context.SetEndpoint(_outerEndpoint);
    }
}
