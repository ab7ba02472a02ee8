using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Serve.Gateway.Requests;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Serve.Gateway.Proxy;

/// <summary>
/// Gives each request a replica: takes a lease, then dispatches straight to the replica when it is in this process, or narrows YARP's
/// destinations to its process and lets YARP forward. A replica that refuses before it starts costs the client nothing: another is picked.
/// </summary>
/// <param name="next">YARP's forwarder.</param>
/// <param name="table">Where everything is.</param>
/// <param name="directory">Tells which process this is.</param>
/// <param name="options">The gateway's settings.</param>
/// <param name="log">For replicas that die.</param>
internal sealed class AdmissionMiddleware(
    RequestDelegate next, RouteTable table, IActorDirectory directory, GatewayOptions options, ILogger<AdmissionMiddleware> log)
{
    // What only a gateway may tell a worker.
    private static readonly string[] InternalHeaders = [WireHeaders.Token, WireHeaders.Actor, WireHeaders.PathBase, WireHeaders.Client, WireHeaders.BodyLimit, WireHeaders.Refused];

    private readonly ConditionalWeakTable<ReplicaSlot, WorkerDestinations> destinations = [];
    private readonly string rootPath = options.Http.RootPath.TrimEnd('/');

    private enum Outcome
    {
        Served,
        Full,
        Gone,
    }

    /// <summary>Serves one request of one application.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Completes when it is answered.</returns>
    public Task InvokeAsync(HttpContext context)
    {
        var proxy = context.GetReverseProxyFeature();
        var application = table.Current.FindApplication(proxy.Route.Config.RouteId)
            ?? throw new NoSuchRouteException($"Application '{proxy.Route.Config.RouteId}' has just been deleted.");
        RequestScope.Of(context).Application = application;
        return ServeAsync(context, proxy, application);
    }

    // One state machine for all of it: this is every request's path.
    private async Task ServeAsync(HttpContext context, IReverseProxyFeature proxy, ApplicationEntry application)
    {
        var router = application.Ingress;
        var model = router.IsMultiplexed ? RequestedModel.Of(context.Request) : null;
        if (!router.TryAcquire(model, out var lease))
            lease = await router.AcquireAsync(model, context.RequestAborted);
        ForwardAttempt? attempt = null;
        while (true)
        {
            Outcome outcome;
            try
            {
                if (lease.Slot.Target is ActorHandle { LocalHttp: { } actor })
                {
                    var (pathBase, path) = EnterPrefix(context.Request, application.Route.RoutePrefix!);
                    outcome = await actor.TryHandleAsync(context) ? Outcome.Served : Outcome.Full;
                    if (outcome != Outcome.Served)
                        (context.Request.PathBase, context.Request.Path) = (pathBase, path);
                }
                else if (Narrow(proxy, lease.Slot, attempt ??= Begin(context, application.Route.RoutePrefix!)))
                {
                    await next(context);
                    if (attempt.Body is { } body)
                        await body.WhenQuietAsync();
                    outcome = Judge(context, attempt);
                }
                else
                {
                    outcome = Outcome.Gone;
                }
            }
            catch (Exception error)
            {
                lease.Fail(error);
                throw;
            }

            if (outcome == Outcome.Served)
            {
                lease.Release();
                return;
            }

            lease.Refuse(gone: outcome == Outcome.Gone);
            lease = await router.ReacquireAsync(model, context.RequestAborted);
        }
    }

    private (PathString PathBase, PathString Path) EnterPrefix(HttpRequest request, string prefix)
    {
        var (pathBase, path) = (request.PathBase, request.Path);
        var length = PrefixLength(prefix);
        if (length > 0)
        {
            request.PathBase = new PathString(path.Value![..length]);
            request.Path = new PathString(path.Value[length..]);
        }

        return (pathBase, path);
    }

    /// <summary>Leaves YARP the one destination where the replica is.</summary>
    private bool Narrow(IReverseProxyFeature proxy, ReplicaSlot slot, ForwardAttempt attempt)
    {
        // A replica of this process that has no HTTP side anymore has been stopped.
        if (slot.Route.Process.ProcessId == directory.ProcessId)
            return false;
        var worker = destinations.GetValue(slot, static slot => new WorkerDestinations(slot.Route.Process));
        if (worker.For(attempt) is not { } destination)
            return false;
        attempt.Slot = slot;
        attempt.Refused = null;
        proxy.AvailableDestinations = destination;
        return true;
    }

    /// <summary>What has become of a forwarded request.</summary>
    private Outcome Judge(HttpContext context, ForwardAttempt attempt)
    {
        if (attempt.Refused is { } refused)
            return Retry(context, attempt, gone: refused == "gone");
        return context.Features.Get<IForwarderErrorFeature>() is { } error ? OnError(context, attempt, error) : Outcome.Served;
    }

    private Outcome OnError(HttpContext context, ForwardAttempt attempt, IForwarderErrorFeature error)
    {
        var cause = error.Exception;
        switch (error.Error)
        {
            case ForwarderError.ResponseBodyDestination or ForwarderError.UpgradeResponseDestination or ForwarderError.UpgradeRequestDestination:
                // YARP has cut the client's connection, so that it does not take what it got for whole.
                Log.ReplicaDied(log, attempt.Slot.Route.ReplicaId, attempt.RequestId, cause?.Message ?? "its connection broke");
                return Outcome.Served;
            case var _ when context.RequestAborted.IsCancellationRequested:
                throw new OperationCanceledException(context.RequestAborted);
            case var _ when attempt.Body?.ReadError is { } readError:
                throw readError;
            case var _ when context.Response.HasStarted:
                return Outcome.Served;
            case ForwarderError.Request when cause is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError }:
                return Retry(context, attempt, gone: true);
            default:
                Log.ReplicaDied(log, attempt.Slot.Route.ReplicaId, attempt.RequestId, cause?.Message ?? error.Error.ToString());
                throw new ReplicaDiedException(
                    $"Replica {attempt.Slot.Route.ReplicaId} died while it served the request. It may have run in part.", cause);
        }
    }

    private static Outcome Retry(HttpContext context, ForwardAttempt attempt, bool gone)
    {
        if (attempt.Body is { CanBeSent: false })
        {
            throw new OverloadedException(
                $"Replica {attempt.Slot.Route.ReplicaId} refused the request after part of its body had been sent; send it again.", TimeSpan.FromSeconds(1));
        }

        context.Features.Set<IForwarderErrorFeature>(null);
        context.Response.Clear();
        return gone ? Outcome.Gone : Outcome.Full;
    }

    private ForwardAttempt Begin(HttpContext context, string prefix)
    {
        var request = context.Request;
        foreach (var name in InternalHeaders)
            request.Headers.Remove(name);
        var body = ForwardedBody.Of(context);
        var isUpgrade = Upgrades.IsAskedFor(context);
        var attempt = new ForwardAttempt
        {
            PathBase = new PathString(request.Path.Value![..PrefixLength(prefix)]).ToUriComponent(),
            RequestId = context.TraceIdentifier,
            Body = body,
            IsUpgrade = isUpgrade,
            WantsConversation = !isUpgrade && body is not null && (body.IsAskedFor || IsGrpc(request)),
            BodyLimit = body is not null && (IsGrpc(request) || request.Headers.ContentEncoding.Count > 0)
                ? context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize
                : null,
        };
        context.Features.Set(attempt);
        return attempt;
    }

    private static bool IsGrpc(HttpRequest request) =>
        request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) is true;

    private int PrefixLength(string prefix) => rootPath.Length + (prefix == "/" ? 0 : prefix.Length);
}
