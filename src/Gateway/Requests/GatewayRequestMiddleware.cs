using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Gateway.Listening;
using Serve.Http;
using Serve.Routes;
using Serve.Routing;

namespace Serve.Gateway.Requests;

/// <summary>
/// The outermost step of every request: id, limits of size and time, metrics, and the conversion of exceptions into
/// problem documents.
/// </summary>
/// <param name="next">The rest of the gateway.</param>
/// <param name="options">The gateway's settings.</param>
/// <param name="readiness">Whether all routes are known.</param>
/// <param name="metrics">Metrics of requests.</param>
/// <param name="readers">Resets HTTP/2 streams of slow clients.</param>
/// <param name="time">Clock of timeouts and latencies.</param>
/// <param name="log">Receives unexpected exceptions.</param>
internal sealed partial class GatewayRequestMiddleware(
    RequestDelegate next, GatewayOptions options, GatewayReadiness readiness, HttpRequestMetrics metrics, SlowReaderMonitor readers, TimeProvider time, ILogger<GatewayRequestMiddleware> log)
{
    private const int ClientClosedRequest = 499;
    private readonly RequestHostFilter _hosts = new(options);
    private readonly RequestTimeLimit? _limit = options.Http.RequestTimeoutS is { } seconds ? new(TimeSpan.FromSeconds(seconds), "http_options.request_timeout_s") : null;

    /// <summary>Serves a request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var scope = new GatewayRequestScope { HasCommonHeadersOnly = CommonRequestHeaders.AreAll(context.Request.Headers) };
        RequestIdAssigner.Assign(context);
        context.Features.Set(scope);
        if (HttpProtocol.IsHttp2(context.Request.Protocol))
            ObservedResponseBody.Attach(context, readers);
        var since = time.GetTimestamp();
        metrics.Enter();
        try
        {
            if (_hosts.Check(context.Request) is { } refusal)
                await ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail);
            // A gRPC call fails with a gRPC status instead.
            else if (context.Request.ContentLength > options.Http.MaxRequestBodyBytes && !GrpcRequests.IsGrpc(context.Request))
                await TooLargeAsync(context);
            else if (RequestUrgencyReader.Read(context, scope, _limit, time) is { } limit)
                await RequestTimeoutEnforcer.RunAsync(context, next, limit, time);
            else
                await next(context);
        }
        catch (Exception error)
        {
            await AnswerAsync(context, error);
        }
        finally
        {
            metrics.Exit(context, scope, time.GetElapsedTime(since));
        }

        if (context.Response.StatusCode == StatusCodes.Status413PayloadTooLarge)
            await RejectedBodyDrain.RunAsync(context, time);
    }

    private async Task AnswerAsync(HttpContext context, Exception error)
    {
        switch (error)
        {
            case ServeException problem:
                await ProblemDetailsWriter.WriteAsync(context, readiness.Qualify(context, problem), options.IncludeStack);
                break;
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                await TooLargeAsync(context);
                break;
            case BadHttpRequestException bad when !context.RequestAborted.IsCancellationRequested:
                await ProblemDetailsWriter.WriteAsync(context, bad.StatusCode, ErrorReason.BadInput, ServerPathRedactor.Redact(bad.Message));
                break;
            case var _ when context.RequestAborted.IsCancellationRequested:
                // For the metrics only: the client has gone.
                if (!context.Response.HasStarted)
                    context.Response.StatusCode = ClientClosedRequest;
                break;
            default:
                Log.RequestFailed(log, context.TraceIdentifier, error);
                await ProblemDetailsWriter.WriteAsync(
                    context, StatusCodes.Status500InternalServerError, "internal_error", "The gateway failed; its log has the details.");
                break;
        }
    }

    private Task TooLargeAsync(HttpContext context) => ProblemDetailsWriter.WriteAsync(
        context, StatusCodes.Status413PayloadTooLarge, ErrorReason.BadInput,
        $"The request body is larger than {options.Http.MaxRequestBodyBytes} bytes (http_options.max_request_body_bytes).");

    private static partial class Log
    {
        [LoggerMessage(EventId = 4003, Level = LogLevel.Error, Message = "Request {RequestId} failed in the gateway")]
        public static partial void RequestFailed(ILogger logger, string requestId, Exception error);
    }
}

/// <summary>State of a request across the pipeline. Written by the request's own flow.</summary>
internal sealed class GatewayRequestScope
{
    /// <summary>Gets whether the client sent only <see cref="CommonRequestHeaders"/>, so that no other header has to be looked up.</summary>
    public bool HasCommonHeadersOnly { get; init; }

    /// <summary>Gets or sets the application of the request; null until it is known and for the gateway's own endpoints.</summary>
    public ApplicationRouteEntry? Application { get; set; }

    /// <summary>Gets or sets deadline and priority; also a <see cref="RequestUrgency"/> feature unless it is the default.</summary>
    public CallUrgency Urgency { get; set; }

    /// <summary>Returns the scope of a request.</summary>
    public static GatewayRequestScope Of(HttpContext context) => context.Features.Get<GatewayRequestScope>()!;
}
