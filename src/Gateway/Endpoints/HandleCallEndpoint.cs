using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Http;
using Serve.Routes;
using Serve.Routing;

namespace Serve.Gateway.Endpoints;

/// <summary>Handle calls over HTTP: <c>POST /-/call/[application/]deployment/method</c>, with a JSON array of arguments, and a JSON result or JSON lines.</summary>
/// <param name="handles">Resolves deployments.</param>
/// <param name="options">Authorized clients and limits.</param>
/// <param name="log">Receives exceptions of user code: replicas log those of HTTP requests only.</param>
internal sealed partial class HandleCallEndpoint(RouteTable handles, GatewayOptions options, ILogger<HandleCallEndpoint> log)
{
    private static readonly byte[] NullResult = "null"u8.ToArray();

    /// <summary>Maps the paths with and without an application.</summary>
    /// <param name="routes">The gateway's endpoints.</param>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var calls = ActivatorUtilities.CreateInstance<HandleCallEndpoint>(routes.ServiceProvider);
        routes.MapPost("/-/call/{deployment}/{method}", calls.AnswerAsync);
        routes.MapPost("/-/call/{application}/{deployment}/{method}", calls.AnswerAsync);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        if (RequestGuard.Check(request, options.Guard) is { } refusal)
        {
            await ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail);
            return;
        }

        if (!request.HasJsonContentType())
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status415UnsupportedMediaType, ErrorReason.BadInput,
                "Send the arguments as a JSON array, with Content-Type: application/json.");
            return;
        }

        await CallAsync(context);
    }

    private async Task CallAsync(HttpContext context)
    {
        try
        {
            if (await AnswerCallAsync(context) is UserCodeException failure)
                Log.CallFailed(log, context.Request.Path, context.TraceIdentifier, failure);
        }
        catch (UserCodeException failure)
        {
            Log.CallFailed(log, context.Request.Path, context.TraceIdentifier, failure);
            throw;
        }
    }

    // Returns the error of a stream that has sent items.
    private async Task<ServeException?> AnswerCallAsync(HttpContext context)
    {
        var values = context.Request.RouteValues;
        var target = handles.GetTarget((string)values["deployment"]!, (string?)values["application"]);
        var method = (string)values["method"]!;
        var arguments = await ArgumentsAsync(context);
        var call = new CallContext
        {
            RequestId = context.TraceIdentifier,
            MultiplexedModelId = RequestedModelReader.Read(context.Request),
            Urgency = RequestUrgency.Of(context),
            RoutingKey = context.Request.Headers[WireHeaderNames.RoutingKey] is [{ } key] ? Uri.UnescapeDataString(key) : null,
        };
        if (WantsLines(context.Request))
        {
            var items = target.StreamAsync(new NamedMethodCall<IAsyncEnumerable<JsonElement>>(method, arguments), call, context.RequestAborted);
            return await JsonLinesResponse.WriteAsync(context, items, options.IncludeStack);
        }

        var result = await target.InvokeAsync(new NamedMethodCall<JsonElement>(method, arguments), call, context.RequestAborted);
        context.Response.ContentType = "application/json; charset=utf-8";
        if (result.ValueKind == JsonValueKind.Undefined)
            await context.Response.Body.WriteAsync(NullResult, context.RequestAborted);
        else
            await JsonSerializer.SerializeAsync(context.Response.Body, result, ServeJson.Calls, context.RequestAborted);
        return null;
    }

    private static async Task<object?[]> ArgumentsAsync(HttpContext context)
    {
        try
        {
            var arguments = await JsonSerializer.DeserializeAsync<JsonElement[]>(context.Request.Body, ServeJson.Calls, context.RequestAborted);
            return arguments is null ? throw new BadInputException("The arguments must be a JSON array, but were null.") : [.. arguments];
        }
        catch (JsonException error)
        {
            throw new BadInputException($"The arguments must be a JSON array: {error.Message}", error);
        }
    }

    private static bool WantsLines(HttpRequest request)
    {
        foreach (var accept in request.Headers.Accept)
        {
            if (accept?.Contains(JsonLinesResponse.ContentType, StringComparison.OrdinalIgnoreCase) is true)
                return true;
        }

        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4010, Level = LogLevel.Error, Message = "Call {Path} failed in user code (request {RequestId})")]
        public static partial void CallFailed(ILogger logger, string path, string requestId, Exception error);
    }
}
