using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Gateway.Requests;
using Serve.Http;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Serve.Gateway.Proxy;

/// <summary>
/// Assigns a replica to each request: acquires a lease, then calls the replica directly if it is in this process, or restricts YARP's
/// destinations to the replica's process. If a replica refuses before it reads the request, another one is picked.
/// </summary>
/// <param name="next">YARP's forwarder.</param>
/// <param name="table">The routes.</param>
/// <param name="directory">Identifies this process.</param>
/// <param name="workers">Connections to workers.</param>
/// <param name="shadows">Sends copies of requests.</param>
/// <param name="options">The gateway's settings.</param>
/// <param name="log">Receives replicas that died.</param>
internal sealed partial class ReplicaAdmissionMiddleware(
    RequestDelegate next, RouteTable table, IActorReferenceResolver directory, WorkerHttpClientFactory workers, ShadowRequestSender shadows, GatewayOptions options, ILogger<ReplicaAdmissionMiddleware> log)
{
    private const string GrpcUnknown = "2";
    private const string GrpcDeadlineExceeded = "4";
    private const string GrpcResourceExhausted = "8";
    private const string GrpcInternal = "13";
    private const string GrpcUnavailable = "14";
    private const string GrpcDataLoss = "15";

    private readonly ConditionalWeakTable<ReplicaSlot, WorkerDestinationPair> _destinations = [];
    private readonly string _rootPath = options.Http.RootPath.TrimEnd('/');

    private enum ForwardOutcome
    {
        Served,
        Full,
        Gone,
    }

    /// <summary>Serves a request of an application.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var proxy = context.GetReverseProxyFeature();
        var application = table.Current.FindApplication(proxy.Route.Config.RouteId)
            ?? throw new NoSuchRouteException($"Application '{proxy.Route.Config.RouteId}' has been deleted.");
        var scope = GatewayRequestScope.Of(context);
        scope.Application = application;
        if (HttpMethods.IsConnect(context.Request.Method) && context.Features.Get<IHttpExtendedConnectFeature>() is not { IsExtendedConnect: true, Protocol: "websocket" })
            throw new BadHttpRequestException("Method CONNECT is supported for WebSockets only.", StatusCodes.Status405MethodNotAllowed);
        if (!scope.HasCommonHeadersOnly)
            ClientHeaderFilter.Apply(context);
        return application.Canary is { } split
            ? ServeSplitAsync(context, scope, proxy, application, split)
            : ServeAsync(context, proxy, application, application.Route.RoutePrefix!, scope.Urgency);
    }

    /// <summary>Serves a request of an application with two revisions.</summary>
    private async Task ServeSplitAsync(HttpContext context, GatewayRequestScope scope, IReverseProxyFeature proxy, ApplicationRouteEntry stable, CanarySplit split)
    {
        var isCanary = await IsForCanaryAsync(context, stable, split);
        var shadow = isCanary ? null : shadows.TryBegin(context, split);
        var started = Stopwatch.GetTimestamp();
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            if (isCanary)
                isCanary = await TryServeCanaryAsync(context, scope, proxy, split);
            if (!isCanary)
                await ServeAsync(context, proxy, stable, stable.Route.RoutePrefix!, scope.Urgency);
            status = StatusOf(context);
        }
        catch (Exception error)
        {
            status = (error as ServeException)?.StatusCode ?? (error as BadHttpRequestException)?.StatusCode ?? status;
            throw;
        }
        finally
        {
            var elapsed = Stopwatch.GetElapsedTime(started);
            // A request that its client has canceled says nothing about the revision.
            if (!context.RequestAborted.IsCancellationRequested)
            {
                split.Meter.Count(isCanary, status >= StatusCodes.Status500InternalServerError, elapsed);
                if (shadow is not null)
                    shadows.Send(shadow, split, (status, elapsed), (copy, aborted) => ServeCopyAsync(copy, proxy, split, aborted));
            }
        }
    }

    // A gRPC call that fails in the server has status 200 and a trailer.
    private static int StatusOf(HttpContext context)
    {
        if (!IsGrpc(context.Request))
            return context.Response.StatusCode;
        var code = context.Response.Headers["grpc-status"] is { Count: > 0 } head ? head : context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers["grpc-status"] ?? default;
        return code.ToString() is GrpcUnknown or GrpcDeadlineExceeded or GrpcResourceExhausted or GrpcInternal or GrpcUnavailable or GrpcDataLoss
            ? StatusCodes.Status500InternalServerError
            : context.Response.StatusCode;
    }

    private async ValueTask<bool> IsForCanaryAsync(HttpContext context, ApplicationRouteEntry stable, CanarySplit split)
    {
        if (split.Route.HeaderName is { } name && context.Request.Headers[name] is [{ } value] && value == split.Route.HeaderValue)
            return true;
        if (split.Route.Percent is 0 or 100)
            return split.Route.Percent == 100;
        return split.Takes(split.Key is { } key ? await RoutingKeyReader.ReadAsync(context.Request, key, PrefixLength(stable.Route.RoutePrefix!)) : null);
    }

    /// <summary>Serves a request by the canary; returns false if the canary ended before the request reached a replica.</summary>
    private async Task<bool> TryServeCanaryAsync(HttpContext context, GatewayRequestScope scope, IReverseProxyFeature proxy, CanarySplit split)
    {
        scope.Application = split.Entry;
        try
        {
            await ServeAsync(context, proxy, split.Entry, split.Entry.Route.RoutePrefix!, scope.Urgency);
            return true;
        }
        catch (Exception error) when (error is NoSuchRouteException or NoReplicaException && !context.Response.HasStarted && !table.Current.CanServe(split.Entry.Ingress.Id))
        {
            scope.Application = table.Current.FindApplication(proxy.Route.Config.RouteId);
            return false;
        }
    }

    private Task ServeCopyAsync(HttpContext copy, IReverseProxyFeature proxy, CanarySplit split, CancellationToken aborted)
    {
        var own = new ReverseProxyFeature { Route = proxy.Route, Cluster = proxy.Cluster, AllDestinations = proxy.AllDestinations, AvailableDestinations = proxy.AllDestinations };
        copy.Features.Set<IReverseProxyFeature>(own);
        return ServeAsync(copy, own, split.Entry, split.Entry.Route.RoutePrefix!, default).WaitAsync(aborted);
    }

    // A single state machine: this is the path of every request.
    private async Task ServeAsync(HttpContext context, IReverseProxyFeature proxy, ApplicationRouteEntry application, string prefix, CallUrgency urgency)
    {
        var router = application.Ingress;
        var request = new RoutingRequest
        {
            Urgency = urgency,
            MultiplexedModelId = router.IsMultiplexed ? RequestedModelReader.Read(context.Request) : null,
            Key = router.KeyExpression is { } expression ? await RoutingKeyReader.ReadAsync(context.Request, expression, PrefixLength(prefix)) : null,
        };
        if (!router.TryAcquire(request, out var lease))
            lease = await router.AcquireAsync(request, context.RequestAborted);
        WorkerForwardAttempt? attempt = null;
        while (true)
        {
            ForwardOutcome outcome;
            try
            {
                if (lease.Slot.Target is ILocalActor { Instance: IActorHttpHandler actor })
                {
                    var (pathBase, path) = EnterPrefix(context.Request, prefix);
                    outcome = await actor.TryHandleAsync(context) ? ForwardOutcome.Served : ForwardOutcome.Full;
                    if (outcome != ForwardOutcome.Served)
                        (context.Request.PathBase, context.Request.Path) = (pathBase, path);
                }
                else if (Narrow(proxy, lease.Slot, attempt ??= Begin(context, prefix, urgency)))
                {
                    await next(context);
                    if (attempt.Body is { } body)
                        await body.WhenSentAsync();
                    outcome = await JudgeAsync(context, attempt);
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
            lease = await router.ReacquireAsync(request, context.RequestAborted);
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

    /// <summary>Restricts YARP to the process of the replica; returns false if the replica is not reachable.</summary>
    private bool Narrow(IReverseProxyFeature proxy, ReplicaSlot slot, WorkerForwardAttempt attempt)
    {
        // A replica of this process without an HTTP handler has been stopped.
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

    /// <summary>Returns the outcome of a forwarded request.</summary>
    private ValueTask<ForwardOutcome> JudgeAsync(HttpContext context, WorkerForwardAttempt attempt)
    {
        if (attempt.Refused is { } refused)
            return new(Retry(context, attempt, gone: refused == "gone"));
        return context.Features.Get<IForwarderErrorFeature>() is { } error ? OnErrorAsync(context, attempt, error) : new(ForwardOutcome.Served);
    }

    private async ValueTask<ForwardOutcome> OnErrorAsync(HttpContext context, WorkerForwardAttempt attempt, IForwarderErrorFeature error)
    {
        var cause = error.Exception;
        switch (error.Error)
        {
            case ForwarderError.ResponseBodyDestination or ForwarderError.UpgradeResponseDestination or ForwarderError.UpgradeRequestDestination when context.Response.HasStarted:
                // YARP has aborted the client's connection, so that the client does not mistake the partial response for a complete one.
                Log.ResponseCut(log, attempt.Slot.Route.ReplicaId, attempt.RequestId, cause?.Message ?? "its connection broke");
                return ForwardOutcome.Served;
            case var _ when context.RequestAborted.IsCancellationRequested:
                throw new OperationCanceledException(context.RequestAborted);
            case var _ when attempt.Body?.ReadError is { } readError:
                throw readError;
            case var _ when context.Response.HasStarted:
                return ForwardOutcome.Served;
            case ForwarderError.Request when cause is HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.TooManyOpenSockets } }:
                // The replica is well, and no other one can be reached either.
                throw new OverloadedException("The node has too many open files to connect to a worker. Retry the request.", TimeSpan.FromSeconds(1));
            case ForwarderError.Request when cause is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError }:
                return Retry(context, attempt, gone: true);
            case var _ when await workers.IsAliveAsync(attempt.Slot.Route.Address, context.RequestAborted):
                // User code aborted the request, or its response was incomplete. In this process, that would have ended the client's connection.
                context.Abort();
                return ForwardOutcome.Served;
            default:
                Log.ReplicaDied(log, attempt.Slot.Route.ReplicaId, attempt.RequestId, cause?.Message ?? error.Error.ToString());
                throw new ReplicaDiedException(
                    $"Replica {attempt.Slot.Route.ReplicaId} died while it served the request. The request may have been partially executed.", cause);
        }
    }

    private static ForwardOutcome Retry(HttpContext context, WorkerForwardAttempt attempt, bool gone)
    {
        if (attempt.Body is { CanBeSent: false })
        {
            throw new OverloadedException(
                $"Replica {attempt.Slot.Route.ReplicaId} refused the request after a part of its body had been sent. Retry the request.", TimeSpan.FromSeconds(1));
        }

        context.Features.Set<IForwarderErrorFeature>(null);
        context.Response.Clear();
        return gone ? ForwardOutcome.Gone : ForwardOutcome.Full;
    }

    private WorkerForwardAttempt Begin(HttpContext context, string prefix, CallUrgency urgency)
    {
        var request = context.Request;
        var isUpgrade = WebSocketUpgrade.IsRequested(context);
        // The data of a WebSocket over HTTP/2 look like a body.
        var body = isUpgrade ? null : ReplayableRequestBody.Of(context);
        var isHttp2 = HttpProtocol.IsHttp2(request.Protocol);
        var attempt = new WorkerForwardAttempt
        {
            PathBase = new PathString(request.Path.Value![..PrefixLength(prefix)]).ToUriComponent(),
            RequestId = context.TraceIdentifier,
            Body = body,
            Urgency = urgency,
            IsUpgrade = isUpgrade,
            WantsHttp2 = !isUpgrade && (isHttp2 || body is { WaitsForContinue: true }),
            ChangesHead = body is { IsFramed: true } || (!isHttp2 && body is { WaitsForContinue: true }),
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

    private static partial class Log
    {
        [LoggerMessage(EventId = 4004, Level = LogLevel.Debug, Message = "The response of replica {Replica} to request {RequestId} ended before it was complete: {Reason}")]
        public static partial void ResponseCut(ILogger logger, string replica, string requestId, string reason);

        // Debug: the runtime logs a dead worker once; its ongoing requests fail with it, and their clients receive the error.
        [LoggerMessage(EventId = 4002, Level = LogLevel.Debug, Message = "Replica {Replica} died while it served request {RequestId}: {Reason}")]
        public static partial void ReplicaDied(ILogger logger, string replica, string requestId, string reason);
    }
}
