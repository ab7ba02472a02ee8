using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Serve.Controller.Applications;
using Serve.Controller.Store;
using Serve.Http;

namespace Serve.Controller.AdminApi;

/// <summary>Converts the exceptions of the admin API to problem documents.</summary>
internal static partial class AdminErrorHandler
{
    /// <summary>Converts the exceptions of the middleware behind it.</summary>
    public static IApplicationBuilder UseAdminErrors(this IApplicationBuilder app, ILogger logger) => app.Use(async (context, next) =>
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has disconnected.
        }
        catch (Exception error)
        {
            if (error is not (DefinitionException or ApplicationNotFoundException or NodeConflictException or BadHttpRequestException or JsonException))
                Log.Failed(logger, context.Request.Method, context.Request.Path, error);
            await WriteAsync(context, error);
            if (context.Response.StatusCode == StatusCodes.Status413PayloadTooLarge)
                await RejectedBodyDrain.RunAsync(context, TimeProvider.System);
        }
    });

    private static Task WriteAsync(HttpContext context, Exception error) => error switch
    {
        DefinitionException wrong => ProblemDetailsWriter.WriteAsync(
            context, StatusCodes.Status400BadRequest, ErrorReason.BadInput, wrong.Message, new Dictionary<string, object?> { ["errors"] = wrong.Errors }),
        JsonException wrong => ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status400BadRequest, ErrorReason.BadInput, $"The body is not valid JSON: {wrong.Message}"),
        BadHttpRequestException wrong => ProblemDetailsWriter.WriteAsync(context, wrong.StatusCode, ErrorReason.BadInput, wrong.Message),
        ApplicationNotFoundException unknown => ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status404NotFound, ErrorReason.NoSuchRoute, unknown.Message),
        NodeConflictException conflict => ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status409Conflict, ErrorReason.Conflict, conflict.Message),
        StateStoreException state => ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status500InternalServerError, ErrorReason.StateStore, state.Message),
        _ => ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status500InternalServerError, "internal", $"Internal error: {ServerPathRedactor.Redact(error.Message)} See the log of the node."),
    };

    private static partial class Log
    {
        [LoggerMessage(3030, LogLevel.Error, "{Method} {Path} failed")]
        public static partial void Failed(ILogger logger, string method, string path, Exception error);
    }
}
