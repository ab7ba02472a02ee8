using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Http;
using Serve.Replica.Instances;
using Serve.Runtime;

namespace Serve.Replica.Http;

/// <summary>
/// HTTP handler of a replica: admits a request before reading it, finds the endpoint, runs it in turns, and maps exceptions to problem documents. Immutable.
/// </summary>
internal sealed partial class ReplicaHttpHandler : IActorHttpHandler
{
    private readonly ActorActivationContext _actor;
    private readonly IServiceScopeFactory _scopes;
    private readonly TimeProvider _time;
    private readonly ReplicaEndpointRouter _routes;
    private readonly ReplicaErrorResponder _errors;
    private readonly bool _seesRequests;

    public ReplicaHttpHandler(ActorActivationContext actor, ReplicaComponents parts, ReplicaErrorResponder errors)
    {
        _actor = actor;
        _errors = errors;
        _seesRequests = parts.SeesRequests;
        var services = parts.Services!;
        _scopes = services.GetRequiredService<IServiceScopeFactory>();
        _time = services.GetRequiredService<TimeProvider>();
        _routes = new ReplicaEndpointRouter(services, parts, actor.Turns, RunInTurnsAsync, context => errors.WriteNoRouteAsync(context, _routes!));
    }

    /// <summary>Checks that the metadata of all endpoints has its effect.</summary>
    /// <exception cref="DefinitionException">Middleware, a policy or a scheme is missing; lists all.</exception>
    public Task ValidateAsync() => _routes.ValidateAsync();

    public ValueTask<bool> TryHandleAsync(HttpContext context)
    {
        if (!_actor.Gate.TryEnter())
            return new(false);
        var started = _time.GetTimestamp();
        var single = _routes.FindSingle(context.Request.Method);
        var request = new ReplicaRequestServices(context, _scopes, single);
        ValueTask running;
        try
        {
            running = DispatchAsync(request, single);
        }
        catch (Exception thrown)
        {
            running = ValueTask.FromException(thrown);
        }

        if (!running.IsCompletedSuccessfully || request.HasScope || IsBareRefusal(context.Response))
            return FinishAsync(request, running, started);
        running.GetAwaiter().GetResult();
        End(request, started, failed: false);
        return new(true);
    }

    private ValueTask DispatchAsync(ReplicaRequestServices request, Endpoint? single)
    {
        if (single is null)
            return new ValueTask(_routes.Pipeline(request.Context));
        if (request.Context.Request.Path.Value is not (null or "" or "/"))
            return new ValueTask(_errors.WriteNoRouteAsync(request.Context, _routes));
        request.Metrics = _routes.SingleMetrics;
        request.Next = single.RequestDelegate!;
        return _routes.SingleIsBatched ? RunBatched(request) : _actor.Turns.RunAsync(request, Turn, _routes.SingleBlocks);
    }

    /// <summary>Middleware between routing and endpoint execution.</summary>
    private Task RunInTurnsAsync(HttpContext context, RequestDelegate next)
    {
        var request = (ReplicaRequestServices)context.Features.Get<IServiceProvidersFeature>()!;
        var endpoint = context.GetEndpoint();
        if (endpoint is null && !_routes.HasOwnMiddleware)
            return _errors.WriteNoRouteAsync(context, _routes);
        request.Metrics = endpoint is null ? null : ReplicaEndpointRouter.MetricsOf(endpoint);
        request.Next = next;
        return endpoint is not null && ReplicaEndpointRouter.IsBatched(endpoint)
            ? RunBatched(request).AsTask()
            : _actor.Turns.RunAsync(request, Turn, endpoint?.Metadata.GetMetadata<BlockingAttribute>() is not null).AsTask();
    }

    // One delegate for all requests saves an allocation per request.
    private Func<ReplicaRequestServices, ValueTask> Turn => field ??= RunTurn;

    private ValueTask RunTurn(ReplicaRequestServices request) =>
        _seesRequests ? RunSeen(request) : new ValueTask(request.Next!(request.Context));

    // Not in turns: the request only waits for its batch, which runs in a turn. It needs its context for the model, deadline and priority, which determine the batch.
    private ValueTask RunBatched(ReplicaRequestServices request) =>
        _seesRequests || request.AffectsQueues ? RunSeen(request) : new ValueTask(request.Next!(request.Context));

    private static ValueTask RunSeen(ReplicaRequestServices request)
    {
        var outer = RequestContext.Current;
        RequestContext.Current = request.Describe();
        try
        {
            return new ValueTask(request.Next!(request.Context));
        }
        finally
        {
            RequestContext.Current = outer;
        }
    }

    private async ValueTask<bool> FinishAsync(ReplicaRequestServices request, ValueTask running, long started)
    {
        var failed = false;
        // A drain that exceeds its timeout aborts ongoing requests; requests that complete synchronously need no registration.
        var abort = _actor.Aborted.UnsafeRegister(static context => ((HttpContext)context!).Abort(), request.Context);
        try
        {
            await running;
            if (IsBareRefusal(request.Context.Response))
                await ReplicaErrorResponder.WriteRefusalAsync(request.Context);
        }
        catch (Exception thrown)
        {
            failed = await _errors.WriteAsync(request.Context, thrown);
        }
        finally
        {
            await abort.DisposeAsync();
            await DisposeScopeAsync(request);
            End(request, started, failed);
        }

        return true;
    }

    private async ValueTask DisposeScopeAsync(ReplicaRequestServices request)
    {
        try
        {
            await request.DisposeScopeAsync();
        }
        catch (Exception thrown)
        {
            // The response has been sent; the error is only logged.
            _errors.LogScope(thrown);
        }
    }

    private void End(ReplicaRequestServices request, long started, bool failed)
    {
        request.Leave();
        request.Metrics?.Observe(_time.GetElapsedTime(started), failed);
        _actor.Gate.Exit();
    }

    /// <summary>
    /// Returns whether the response has a status without a body that a problem document explains: ASP.NET Core refused the request (wrong method, wrong content type, or body over the
    /// limit), or user code set an informational status, after which a client would wait for another response.
    /// </summary>
    private static bool IsBareRefusal(HttpResponse response) =>
        response.StatusCode is StatusCodes.Status405MethodNotAllowed or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status415UnsupportedMediaType or < StatusCodes.Status200OK
        && !response.HasStarted;
}
