using System.Globalization;
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

/// <summary>
/// Handle calls over HTTP: <c>POST /-/call/[application/]deployment/method</c>, with a JSON array of arguments, and a JSON result or JSON lines; the same under
/// <c>/-/broadcast</c> calls every replica, with a JSON array of their results.
/// </summary>
/// <param name="handles">Resolves deployments.</param>
/// <param name="options">Authorized clients and limits.</param>
/// <param name="time">Clock of deadlines.</param>
/// <param name="log">Receives exceptions of user code: replicas log those of HTTP requests only.</param>
internal sealed partial class HandleCallEndpoint(RouteTable handles, GatewayOptions options, TimeProvider time, ILogger<HandleCallEndpoint> log)
{
    private static readonly byte[] NullResult = "null"u8.ToArray();

    /// <summary>Maps the paths with and without an application.</summary>
    /// <param name="routes">The gateway's endpoints.</param>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var calls = ActivatorUtilities.CreateInstance<HandleCallEndpoint>(routes.ServiceProvider);
        routes.MapPost("/-/call/{deployment}/{method}", context => calls.AnswerAsync(context, calls.AnswerCallAsync));
        routes.MapPost("/-/call/{application}/{deployment}/{method}", context => calls.AnswerAsync(context, calls.AnswerCallAsync));
        routes.MapPost("/-/broadcast/{deployment}/{method}", context => calls.AnswerAsync(context, calls.AnswerBroadcastAsync));
        routes.MapPost("/-/broadcast/{application}/{deployment}/{method}", context => calls.AnswerAsync(context, calls.AnswerBroadcastAsync));
    }

    private async Task AnswerAsync(HttpContext context, Func<HttpContext, Task<ServeException?>> answer)
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

        try
        {
            if (await answer(context) is UserCodeException failure)
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
        var (target, method, call) = Read(context);
        var arguments = await ArgumentsAsync(context);
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

    // The errors are part of the results; returns the first one of user code.
    private async Task<ServeException?> AnswerBroadcastAsync(HttpContext context)
    {
        var (target, method, call) = Read(context);
        if (context.Request.Query.TryGetValue("timeout_ms", out var text))
        {
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds) || !(milliseconds > 0))
                throw new BadInputException($"timeout_ms must be a positive number of milliseconds, but was '{text}'.");
            call = call with { Urgency = call.Urgency.Within(TimeSpan.FromMilliseconds(Math.Min(milliseconds, int.MaxValue)), time) };
        }

        var results = await ((IBroadcastTarget)target).BroadcastAsync(new NamedMethodCall<JsonElement>(method, await ArgumentsAsync(context)), call, context.RequestAborted);
        context.Response.ContentType = "application/json; charset=utf-8";
        await JsonSerializer.SerializeAsync(
            context.Response.Body,
            results.Select(result => new Dictionary<string, object?>
            {
                ["replicaId"] = result.ReplicaId,
                [result.Error is null ? "result" : "error"] = result.Error is { } error ? JsonLinesResponse.Describe(error, options.IncludeStack)
                    : result.Value.ValueKind == JsonValueKind.Undefined ? null : result.Value,
            }),
            ServeJson.Calls,
            context.RequestAborted);
        return results.Select(result => result.Error).OfType<UserCodeException>().FirstOrDefault();
    }

    private (ICallTarget Target, string Method, CallContext Call) Read(HttpContext context)
    {
        var values = context.Request.RouteValues;
        return (handles.GetTarget((string)values["deployment"]!, (string?)values["application"]), (string)values["method"]!, new CallContext
        {
            RequestId = context.TraceIdentifier,
            MultiplexedModelId = RequestedModelReader.Read(context.Request),
            Urgency = RequestUrgency.Of(context),
            RoutingKey = context.Request.Headers[WireHeaderNames.RoutingKey] is [{ } key] ? Uri.UnescapeDataString(key) : null,
        });
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
