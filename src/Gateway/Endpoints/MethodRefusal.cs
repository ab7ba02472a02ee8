using Microsoft.AspNetCore.Http;
using Serve.Http;

namespace Serve.Gateway.Endpoints;

/// <summary>Answers to methods that an endpoint of the gateway does not have.</summary>
internal static class MethodRefusal
{
    /// <summary>Answers <c>OPTIONS</c> with 204 and other methods with 405, both with the methods that are allowed.</summary>
    /// <param name="context">The request.</param>
    /// <param name="allow">The methods of the endpoint.</param>
    public static Task AnswerAsync(HttpContext context, string allow)
    {
        // Writing the problem document clears the headers.
        context.Response.OnStarting(() =>
        {
            context.Response.Headers.Allow = allow;
            return Task.CompletedTask;
        });
        if (!HttpMethods.IsOptions(context.Request.Method))
            return ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status405MethodNotAllowed, ErrorReason.BadInput, $"Method {context.Request.Method} is not allowed here. Use {allow}.");
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
