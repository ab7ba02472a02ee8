using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Serve.Http;
using Serve.Replica.Telemetry;

namespace Serve.Replica.Http;

/// <summary>Writes problem documents and log entries for failed requests.</summary>
internal sealed partial class ReplicaErrorResponder(ReplicaId replica, bool isDevelopment, UserFailureLog failures, ILogger logger)
{
    private const int ClientClosedRequest = 499;

    /// <summary>Writes the response for an exception.</summary>
    /// <returns>Whether user code threw the exception.</returns>
    public async Task<bool> WriteAsync(HttpContext context, Exception thrown)
    {
        if (context.RequestAborted.IsCancellationRequested && thrown is OperationCanceledException or IOException)
        {
            // The client has disconnected; the status is for the metrics of the gateway.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = ClientClosedRequest;
            return false;
        }

        switch (thrown)
        {
            case BadHttpRequestException bad:
                var detail = bad.InnerException is { } cause ? $"{bad.Message} {cause.Message}" : bad.Message;
                await ProblemDetailsWriter.WriteAsync(context, bad.StatusCode, ErrorReason.BadInput, ServerPathRedactor.Redact(detail));
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

    /// <summary>Writes the response for a path without an endpoint.</summary>
    public Task WriteNoRouteAsync(HttpContext context, ReplicaEndpointRouter routes)
    {
        KeepHeaders(context.Response);
        return ProblemDetailsWriter.WriteAsync(
            context, StatusCodes.Status404NotFound, ErrorReason.NoSuchRoute,
            $"{replica.Deployment.Name} has no endpoint at '{(context.Request.Path.HasValue ? context.Request.Path : "/")}'. " + (routes.Descriptions.Count == 0
                ? "It can be called through handles only: it has no method Call and no method with a route attribute such as [HttpGet]."
                : $"Its endpoints below {(context.Request.PathBase.HasValue ? context.Request.PathBase : "/")} are {string.Join(", ", routes.Descriptions)}."));
    }

    /// <summary>Writes a problem document for a status that ASP.NET Core set without a body.</summary>
    public static Task WriteRefusalAsync(HttpContext context)
    {
        var response = context.Response;
        var allow = response.Headers.Allow;
        KeepHeaders(response);
        if (response.StatusCode < StatusCodes.Status200OK)
        {
            return ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status500InternalServerError, ErrorReason.UserException,
                $"The status of a response must be at least 200, but was {response.StatusCode}.");
        }

        return ProblemDetailsWriter.WriteAsync(context, response.StatusCode, ErrorReason.BadInput, response.StatusCode switch
        {
            StatusCodes.Status405MethodNotAllowed => $"Method {context.Request.Method} is not allowed here. Use {allow}.",
            StatusCodes.Status413PayloadTooLarge => "The request body is larger than this server accepts.",
            _ => $"Content type '{context.Request.ContentType}' is not supported here.",
        });
    }

    // Writing a problem document clears the headers, but those of middleware and of routing belong to the response.
    private static void KeepHeaders(HttpResponse response)
    {
        var kept = response.Headers.Where(static header => !header.Key.StartsWith("Content-", StringComparison.OrdinalIgnoreCase)).ToArray();
        if (kept.Length == 0)
            return;
        response.OnStarting(() =>
        {
            foreach (var (name, value) in kept)
                response.Headers[name] = value;
            return Task.CompletedTask;
        });
    }

    public void LogScope(Exception thrown) => Log.ScopeNotDisposed(logger, thrown);

    private static partial class Log
    {
        [LoggerMessage(EventId = 5010, Level = LogLevel.Warning, Message = "Disposing the services of a request failed")]
        public static partial void ScopeNotDisposed(ILogger logger, Exception thrown);
    }
}
