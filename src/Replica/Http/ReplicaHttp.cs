using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Replica.Instances;
using Serve.Runtime;

namespace Serve.Replica.Http;

/// <summary>
/// How a replica answers HTTP: lets a request in by the gate before anything of it is read, finds the endpoint, runs it in turns, and turns
/// what it throws into a problem document. Immutable once made.
/// </summary>
internal sealed partial class ReplicaHttp : IHttpActor
{
    private readonly ActorContext actor;
    private readonly IServiceScopeFactory scopes;
    private readonly TimeProvider time;
    private readonly ReplicaRoutes routes;
    private readonly ReplicaErrors errors;
    private readonly bool seesRequests;

    public ReplicaHttp(ActorContext actor, ReplicaParts parts, ReplicaErrors errors)
    {
        this.actor = actor;
        this.errors = errors;
        seesRequests = parts.SeesRequests;
        var services = parts.Services!;
        scopes = services.GetRequiredService<IServiceScopeFactory>();
        time = services.GetRequiredService<TimeProvider>();
        routes = new ReplicaRoutes(services, parts, actor.Turns, RunInTurnsAsync);
    }

    public ValueTask<bool> TryHandleAsync(HttpContext context)
    {
        if (!actor.Gate.TryEnter())
            return new(false);
        var started = time.GetTimestamp();
        var request = new ReplicaRequest(context, scopes, routes.Single);
        ValueTask running;
        try
        {
            running = DispatchAsync(request);
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

    private ValueTask DispatchAsync(ReplicaRequest request)
    {
        if (routes.Single is not { } single)
            return new ValueTask(routes.Pipeline(request.Context));
        if (request.Context.Request.Path.Value is not (null or "" or "/"))
            return new ValueTask(errors.WriteNoRouteAsync(request.Context, routes));
        request.Metrics = routes.SingleMetrics;
        request.Next = single.RequestDelegate!;
        return routes.SingleIsBatched ? RunBatched(request) : actor.Turns.RunAsync(request, Turn, routes.SingleBlocks);
    }

    /// <summary>The piece of the pipeline between finding an endpoint and running it.</summary>
    private Task RunInTurnsAsync(HttpContext context, RequestDelegate next)
    {
        var request = (ReplicaRequest)context.Features.Get<IServiceProvidersFeature>()!;
        if (context.GetEndpoint() is not { } endpoint)
            return errors.WriteNoRouteAsync(context, routes);
        request.Metrics = ReplicaRoutes.MetricsOf(endpoint);
        request.Next = next;
        return ReplicaRoutes.IsBatched(endpoint)
            ? RunBatched(request).AsTask()
            : actor.Turns.RunAsync(request, Turn, endpoint.Metadata.GetMetadata<BlockingAttribute>() is not null).AsTask();
    }

    // One delegate for all requests: an allocation per request less.
    private Func<ReplicaRequest, ValueTask> Turn => field ??= RunTurn;

    private ValueTask RunTurn(ReplicaRequest request) =>
        seesRequests ? RunSeen(request) : new ValueTask(request.Next!(request.Context));

    // Not in turns: its caller's part is to wait, and what it waits for runs in one. It is told of the model, which decides which requests go together.
    private ValueTask RunBatched(ReplicaRequest request) =>
        seesRequests || request.HasModel ? RunSeen(request) : new ValueTask(request.Next!(request.Context));

    private static ValueTask RunSeen(ReplicaRequest request)
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

    private async ValueTask<bool> FinishAsync(ReplicaRequest request, ValueTask running, long started)
    {
        var failed = false;
        // A drain that takes too long ends what is still going on; whatever completes at once has nothing to be ended.
        var abort = actor.Aborted.UnsafeRegister(static context => ((HttpContext)context!).Abort(), request.Context);
        try
        {
            await running;
            if (IsBareRefusal(request.Context.Response))
                await ReplicaErrors.WriteRefusalAsync(request.Context);
        }
        catch (Exception thrown)
        {
            failed = await errors.WriteAsync(request.Context, thrown);
        }
        finally
        {
            await abort.DisposeAsync();
            await DisposeScopeAsync(request);
            End(request, started, failed);
        }

        return true;
    }

    private async ValueTask DisposeScopeAsync(ReplicaRequest request)
    {
        try
        {
            await request.DisposeScopeAsync();
        }
        catch (Exception thrown)
        {
            // The answer is already out; that a service could not be disposed is for the log.
            errors.LogScope(thrown);
        }
    }

    private void End(ReplicaRequest request, long started, bool failed)
    {
        request.Leave();
        request.Metrics?.Observe(time.GetElapsedTime(started), failed);
        actor.Gate.Exit();
    }

    /// <summary>What ASP.NET Core refuses with a bare status: a wrong method, a wrong content type, a body over the limit.</summary>
    private static bool IsBareRefusal(HttpResponse response) =>
        response.StatusCode is StatusCodes.Status405MethodNotAllowed or StatusCodes.Status413PayloadTooLarge or StatusCodes.Status415UnsupportedMediaType
        && !response.HasStarted;
}
