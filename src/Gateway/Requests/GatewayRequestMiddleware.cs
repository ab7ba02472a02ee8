using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Runtime.RawGrpc;

namespace Serve.Gateway.Requests;

/// <summary>
/// The outermost step of every request: its id, its limits in size and time, its metrics, and the one place where what went wrong becomes a
/// problem document.
/// </summary>
/// <param name="next">The rest.</param>
/// <param name="options">The gateway's settings.</param>
/// <param name="metrics">Where requests are counted.</param>
/// <param name="time">The clock of timeouts and latencies.</param>
/// <param name="log">For what should not happen.</param>
internal sealed class GatewayRequestMiddleware(
    RequestDelegate next, GatewayOptions options, HttpRequestMetrics metrics, TimeProvider time, ILogger<GatewayRequestMiddleware> log)
{
    private const int ClientClosedRequest = 499;
    private readonly TimeSpan? _timeout = options.Http.RequestTimeoutS is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>Serves one request.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Completes when it is answered.</returns>
    public async Task InvokeAsync(HttpContext context)
    {
        RequestIdAssigner.Assign(context);
        var scope = new GatewayRequestScope();
        context.Features.Set(scope);
        var since = time.GetTimestamp();
        metrics.Enter();
        try
        {
            // A gRPC call is told so by a status of its own, by whoever reads it.
            if (context.Request.ContentLength > options.Http.MaxRequestBodyBytes && !GrpcFrames.IsGrpc(context.Request))
                await TooLargeAsync(context);
            else if (_timeout is { } limit)
                await RequestTimeoutEnforcer.RunAsync(context, next, limit, "http_options.request_timeout_s", time);
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
    }

    private async Task AnswerAsync(HttpContext context, Exception error)
    {
        switch (error)
        {
            case ServeException problem:
                await ProblemDetailsWriter.WriteAsync(context, problem, options.IncludeStack);
                break;
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                await TooLargeAsync(context);
                break;
            case BadHttpRequestException bad when !context.RequestAborted.IsCancellationRequested:
                await ProblemDetailsWriter.WriteAsync(context, bad.StatusCode, ErrorReason.BadInput, bad.Message);
                break;
            case var _ when context.RequestAborted.IsCancellationRequested:
                // Nobody reads this; it is for the metrics.
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
}
