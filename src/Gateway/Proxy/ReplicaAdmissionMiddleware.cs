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
internal sealed class ReplicaAdmissionMiddleware(
    RequestDelegate next, RouteTable table, IActorReferenceResolver directory, GatewayOptions options, ILogger<ReplicaAdmissionMiddleware> log)
{
    // What only a gateway may tell a worker.
    private static readonly string[] InternalHeaders = [WireHeaderNames.Token, WireHeaderNames.Actor, WireHeaderNames.PathBase, WireHeaderNames.Client, WireHeaderNames.BodyLimit, WireHeaderNames.Refused];

    private readonly ConditionalWeakTable<ReplicaSlot, WorkerDestinationPair> _destinations = [];
    private readonly string _rootPath = options.Http.RootPath.TrimEnd('/');

    private enum ForwardOutcome
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
        GatewayRequestScope.Of(context).Application = application;
        return ServeAsync(context, proxy, application);
    }

    // One state machine for all of it: this is every request's path.
    private async Task ServeAsync(HttpContext context, IReverseProxyFeature proxy, ApplicationRouteEntry application)
    {
        var router = application.Ingress;
        var model = router.IsMultiplexed ? RequestedModelReader.Read(context.Request) : null;
        if (!router.TryAcquire(model, out var lease))
            lease = await router.AcquireAsync(model, context.RequestAborted);
        WorkerForwardAttempt? attempt = null;
        while (true)
        {
            ForwardOutcome outcome;
            try
            {
                if (lease.Slot.Target is ActorReference { LocalHttp: { } actor })
                {
                    var (pathBase, path) = EnterPrefix(context.Request, application.Route.RoutePrefix!);
                    outcome = await actor.TryHandleAsync(context) ? ForwardOutcome.Served : ForwardOutcome.Full;
                    if (outcome != ForwardOutcome.Served)
                        (context.Request.PathBase, context.Request.Path) = (pathBase, path);
                }
                else if (Narrow(proxy, lease.Slot, attempt ??= Begin(context, application.Route.RoutePrefix!)))
                {
                    await next(context);
                    if (attempt.Body is { } body)
                        await body.WhenSentAsync();
                    outcome = Judge(context, attempt);
                }
                else
                {
                    outcome = ForwardOutcome.Gone;
                }
            }
            catch (Exception error)
            {
                lease.Fail(error);
                throw;
            }

            if (outcome == ForwardOutcome.Served)
            {
                lease.Release();
                return;
            }

            lease.Refuse(gone: outcome == ForwardOutcome.Gone);
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
    private bool Narrow(IReverseProxyFeature proxy, ReplicaSlot slot, WorkerForwardAttempt attempt)
    {
        // A replica of this process that has no HTTP side anymore has been stopped.
        if (slot.Route.Address.ProcessId == directory.ProcessId)
            return false;
        var worker = _destinations.GetValue(slot, static slot => new WorkerDestinationPair(slot.Route.Address));
        if (worker.For(attempt) is not { } destination)
            return false;
        attempt.Slot = slot;
        attempt.Refused = null;
        proxy.AvailableDestinations = destination;
        return true;
    }

    /// <summary>What has become of a forwarded request.</summary>
    private ForwardOutcome Judge(HttpContext context, WorkerForwardAttempt attempt)
    {
        if (attempt.Refused is { } refused)
            return Retry(context, attempt, gone: refused == "gone");
        return context.Features.Get<IForwarderErrorFeature>() is { } error ? OnError(context, attempt, error) : ForwardOutcome.Served;
    }

    private ForwardOutcome OnError(HttpContext context, WorkerForwardAttempt attempt, IForwarderErrorFeature error)
    {
        var cause = error.Exception;
        switch (error.Error)
        {
            case ForwarderError.ResponseBodyDestination or ForwarderError.UpgradeResponseDestination or ForwarderError.UpgradeRequestDestination:
                // YARP has cut the client's connection, so that it does not take what it got for whole.
                Log.ReplicaDied(log, attempt.Slot.Route.ReplicaId, attempt.RequestId, cause?.Message ?? "its connection broke");
                return ForwardOutcome.Served;
            case var _ when context.RequestAborted.IsCancellationRequested:
                throw new OperationCanceledException(context.RequestAborted);
            case var _ when attempt.Body?.ReadError is { } readError:
                throw readError;
            case var _ when context.Response.HasStarted:
                return ForwardOutcome.Served;
            case ForwarderError.Request when cause is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError }:
                return Retry(context, attempt, gone: true);
            default:
                Log.ReplicaDied(log, attempt.Slot.Route.ReplicaId, attempt.RequestId, cause?.Message ?? error.Error.ToString());
                throw new ReplicaDiedException(
                    $"Replica {attempt.Slot.Route.ReplicaId} died while it served the request. It may have run in part.", cause);
        }
    }

    private static ForwardOutcome Retry(HttpContext context, WorkerForwardAttempt attempt, bool gone)
    {
        if (attempt.Body is { CanBeSent: false })
        {
            throw new OverloadedException(
                $"Replica {attempt.Slot.Route.ReplicaId} refused the request after part of its body had been sent; send it again.", TimeSpan.FromSeconds(1));
        }

        context.Features.Set<IForwarderErrorFeature>(null);
        context.Response.Clear();
        return gone ? ForwardOutcome.Gone : ForwardOutcome.Full;
    }

    private WorkerForwardAttempt Begin(HttpContext context, string prefix)
    {
        var request = context.Request;
        foreach (var name in InternalHeaders)
            request.Headers.Remove(name);
        var body = ReplayableRequestBody.Of(context);
        var isUpgrade = WebSocketUpgrade.IsRequested(context);
        var attempt = new WorkerForwardAttempt
        {
            PathBase = new PathString(request.Path.Value![..PrefixLength(prefix)]).ToUriComponent(),
            RequestId = context.TraceIdentifier,
            Body = body,
            IsUpgrade = isUpgrade,
            WantsDuplex = !isUpgrade && body is not null && (body.WaitsForContinue || IsGrpc(request)),
            BodyLimit = body is not null && (IsGrpc(request) || request.Headers.ContentEncoding.Count > 0)
                ? context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize
                : null,
        };
        context.Features.Set(attempt);
        return attempt;
    }

    private static bool IsGrpc(HttpRequest request) =>
        request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) is true;

    private int PrefixLength(string prefix) => _rootPath.Length + (prefix == "/" ? 0 : prefix.Length);
}
