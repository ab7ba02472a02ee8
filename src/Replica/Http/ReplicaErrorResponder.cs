using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Replica.Telemetry;

namespace Serve.Replica.Http;

/// <summary>Turns what goes wrong with a request into a problem document and a line in the replica's log. Holds no state.</summary>
internal sealed partial class ReplicaErrorResponder(ReplicaId replica, bool isDevelopment, UserFailureLog failures, ILogger logger)
{
    private const int ClientClosedRequest = 499;

    /// <summary>Answers for an exception.</summary>
    /// <returns>Whether user code is to blame.</returns>
    public async Task<bool> WriteAsync(HttpContext context, Exception thrown)
    {
        if (context.RequestAborted.IsCancellationRequested && thrown is OperationCanceledException or IOException)
        {
            // Nobody is there to be told; the status is for the gateway's own metrics.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = ClientClosedRequest;
            return false;
        }

        switch (thrown)
        {
            case BadHttpRequestException bad:
                var detail = bad.InnerException is { } cause ? $"{bad.Message} {cause.Message}" : bad.Message;
                await ProblemDetailsWriter.WriteAsync(context, bad.StatusCode, ErrorReason.BadInput, detail);
                return false;
            case ServeException known and not UserCodeException:
                failures.OfRequest(context.Request, thrown);
                await ProblemDetailsWriter.WriteAsync(context, known);
                return false;
            default:
                failures.OfRequest(context.Request, thrown);
                await ProblemDetailsWriter.WriteAsync(context, thrown as UserCodeException ?? new UserCodeException(thrown), isDevelopment);
                return true;
        }
    }

    /// <summary>Answers for a path at which the deployment has nothing.</summary>
    public Task WriteNoRouteAsync(HttpContext context, ReplicaEndpointRouter routes) => ProblemDetailsWriter.WriteAsync(
        context, StatusCodes.Status404NotFound, ErrorReason.NoSuchRoute,
        $"{replica.Deployment.Name} has nothing at '{(context.Request.Path.HasValue ? context.Request.Path : "/")}'. " + (routes.Descriptions.Count == 0
            ? "It answers calls by handle only: none of its methods is called Call or has [HttpGet] or the like."
            : $"Below {(context.Request.PathBase.HasValue ? context.Request.PathBase : "/")} it answers {string.Join(", ", routes.Descriptions)}."));

    /// <summary>Explains a status that ASP.NET Core left bare.</summary>
    public static Task WriteRefusalAsync(HttpContext context)
    {
        var response = context.Response;
        var allow = response.Headers.Allow;
        if (allow.Count > 0)
        {
            // Writing a problem clears the headers, and the client needs this one.
            response.OnStarting(() =>
            {
                response.Headers.Allow = allow;
                return Task.CompletedTask;
            });
        }

        return ProblemDetailsWriter.WriteAsync(context, response.StatusCode, ErrorReason.BadInput, response.StatusCode switch
        {
            StatusCodes.Status405MethodNotAllowed => $"{context.Request.Method} is not answered here; use {allow}.",
            StatusCodes.Status413PayloadTooLarge => "The request's body is larger than this server takes.",
            _ => $"The content type '{context.Request.ContentType}' is not taken here.",
        });
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A request's services could not be disposed")]
    private static partial void LogScopeNotDisposed(ILogger logger, Exception thrown);

    public void LogScope(Exception thrown) => LogScopeNotDisposed(logger, thrown);
}
