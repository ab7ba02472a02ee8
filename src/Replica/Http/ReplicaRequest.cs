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
internal sealed class ReplicaRequest : IServiceProvidersFeature
{
    private readonly IServiceScopeFactory scopes;
    private readonly IServiceProvidersFeature? outerServices;
    private readonly Endpoint? outerEndpoint;
    private AsyncServiceScope? scope;
    private IServiceProvider? services;
    private RequestContext? described;

    public ReplicaRequest(HttpContext context, IServiceScopeFactory scopes, Endpoint? endpoint)
    {
        this.scopes = scopes;
        Context = context;
        outerServices = context.Features.Get<IServiceProvidersFeature>();
        outerEndpoint = context.GetEndpoint();
        context.Features.Set<IServiceProvidersFeature>(this);
        context.SetEndpoint(endpoint);
    }

    public HttpContext Context { get; }

    /// <summary>Whether services were asked for, so that leaving takes <see cref="DisposeScopeAsync"/> first.</summary>
    public bool HasScope => scope is not null;

    /// <summary>The next piece of the pipeline, when there is one.</summary>
    public RequestDelegate? Next { get; set; }

    /// <summary>Counts this request.</summary>
    public RouteMetrics? Metrics { get; set; }

    public IServiceProvider RequestServices
    {
        get => services ??= (scope = scopes.CreateAsyncScope()).Value.ServiceProvider;
        set => services = value;
    }

    /// <summary>Whether it asks for a model.</summary>
    public bool HasModel => RequestedModel.Of(Context.Request) is not null;

    /// <summary>What user code and its handles see of this request; ended by <see cref="Leave"/>.</summary>
    public RequestContext Describe()
    {
        string? id = Context.Request.Headers[WireHeaders.RequestId];
        return described ??= new RequestContext(
            new CallContext { RequestId = string.IsNullOrEmpty(id) ? Context.TraceIdentifier : id, MultiplexedModelId = RequestedModel.Of(Context.Request) },
            Context.RequestAborted);
    }

    public ValueTask DisposeScopeAsync() => scope?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Ends the request for user code and gives the host its services and endpoint back.</summary>
    public void Leave()
    {
        described?.End();
        Context.Features.Set(outerServices);
        Context.SetEndpoint(outerEndpoint);
    }
}
