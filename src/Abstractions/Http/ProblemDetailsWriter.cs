using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Serve.Http;

/// <summary>Writes errors as RFC 9457 problem documents with a stable <c>reason</c>; used by all servers of the product.</summary>
public static class ProblemDetailsWriter
{
    /// <summary>Writes a problem document. If the response has started, aborts the connection instead, so that the client does not mistake it for complete.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="reason">One of <see cref="ErrorReason"/>.</param>
    /// <param name="detail">Display text: what happened and what to do next.</param>
    /// <param name="extensions">Further members of the document.</param>
    /// <returns>Completes when it is written.</returns>
    public static async Task WriteAsync(
        HttpContext context, int status, string reason, string detail, IReadOnlyDictionary<string, object?>? extensions = null)
    {
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        var problem = new ProblemDetails { Status = status, Title = Title(reason), Detail = detail };
        problem.Extensions["reason"] = reason;
        // Clients of the Open Inference Protocol read this member.
        if (IsInference(context.Request))
            problem.Extensions["error"] = detail;
        foreach (var (key, value) in extensions ?? new Dictionary<string, object?>())
            problem.Extensions[key] = value;
        context.Response.Clear();
        context.Response.StatusCode = status;
        if (status == StatusCodes.Status401Unauthorized)
            context.Response.Headers.WWWAuthenticate = "Bearer";
        await context.Response.WriteAsJsonAsync(problem, ServeJson.Calls, "application/problem+json", context.RequestAborted);
    }

    /// <summary>Writes the problem document of a <see cref="ServeException"/>, without file paths of the server except in development.</summary>
    /// <param name="context">The request.</param>
    /// <param name="error">The exception.</param>
    /// <param name="includeStack">Whether the stack of a user exception and file paths are included (in development only).</param>
    /// <returns>Completes when it is written.</returns>
    public static Task WriteAsync(HttpContext context, ServeException error, bool includeStack = false)
    {
        Dictionary<string, object?> extensions = [];
        if (error is UserCodeException user)
        {
            extensions["exceptionType"] = user.ExceptionType;
            if (includeStack && user.RemoteStack is { } stack)
                extensions["stack"] = stack;
        }

        // Set by OnStarting, since Clear removes headers.
        if (error is OverloadedException overloaded)
        {
            var seconds = Math.Max(1, (int)Math.Ceiling(overloaded.RetryAfter.TotalSeconds));
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
                return Task.CompletedTask;
            });
        }

        return WriteAsync(context, error.StatusCode, error.Reason, includeStack ? error.Message : ServerPathRedactor.Redact(error.Message), extensions);
    }

    private static bool IsInference(HttpRequest request)
    {
        var path = (request.PathBase + request.Path).Value ?? "";
        return path.Contains("/v2/", StringComparison.Ordinal) || path.EndsWith("/v2", StringComparison.Ordinal);
    }

    private static string Title(string reason) => reason switch
    {
        ErrorReason.NoSuchRoute => "Nothing answers here.",
        ErrorReason.Overloaded => "All replicas are busy and the queue is full.",
        ErrorReason.NoReplica => "No replica can answer.",
        ErrorReason.Timeout => "The request took too long.",
        ErrorReason.DeadlineUnmeetable => "The request cannot be completed before its deadline.",
        ErrorReason.UserException => "The deployment threw an exception.",
        ErrorReason.ReplicaDied => "The replica died while it served the request.",
        ErrorReason.BadInput => "The request is wrong.",
        ErrorReason.Unauthorized => "A token is required.",
        ErrorReason.Forbidden => "This caller may not talk to this server.",
        _ => "Something went wrong.",
    };
}
