using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Gateway.Requests;
using Serve.Http;
using Serve.Routes;
using Serve.Routing;

namespace Serve.Gateway.Endpoints;

/// <summary>Handle calls over HTTP: <c>POST /-/call/[application/]deployment/method</c>, with a JSON array of arguments, and a JSON result or JSON lines.</summary>
/// <param name="handles">Resolves deployments.</param>
/// <param name="options">Authorized clients and limits.</param>
/// <param name="time">Clock of timeouts.</param>
/// <param name="log">Receives exceptions of user code: replicas log those of HTTP requests only.</param>
internal sealed partial class HandleCallEndpoint(RouteTable handles, GatewayOptions options, TimeProvider time, ILogger<HandleCallEndpoint> log)
{
    private static readonly byte[] NullResult = "null"u8.ToArray();

    /// <summary>Maps the paths with and without an application.</summary>
    /// <param name="routes">The gateway's endpoints.</param>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var calls = ActivatorUtilities.CreateInstance<HandleCallEndpoint>(routes.ServiceProvider);
        routes.Map("/-/call/{deployment}/{method}", calls.AnswerAsync);
        routes.Map("/-/call/{application}/{deployment}/{method}", calls.AnswerAsync);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        if (RequestGuard.Check(request, options.Guard) is { } refusal)
        {
            await ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail);
            return;
        }

        if (!HttpMethods.IsPost(request.Method))
        {
            await MethodRefusal.AnswerAsync(context, "POST, OPTIONS");
            return;
        }

        if (!request.HasJsonContentType())
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status415UnsupportedMediaType, ErrorReason.BadInput,
                "Send the arguments as a JSON array, with Content-Type: application/json.");
            return;
        }

        if (TimeoutOf(request) is { } limit)
            await RequestTimeoutEnforcer.RunAsync(context, CallAsync, limit, WireHeaderNames.TimeoutMs, time);
        else
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

    private static TimeSpan? TimeoutOf(HttpRequest request)
    {
        var header = request.Headers[WireHeaderNames.TimeoutMs].ToString();
        if (header.Length == 0)
            return null;
        // The maximum of a timer is 2^32 - 2 milliseconds.
        return double.TryParse(header, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds is > 0 and < uint.MaxValue - 1
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw new BadInputException($"{WireHeaderNames.TimeoutMs} must be a number of milliseconds above 0, but was '{header}'.");
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4010, Level = LogLevel.Error, Message = "Call {Path} failed in user code (request {RequestId})")]
        public static partial void CallFailed(ILogger logger, string path, string requestId, Exception error);
    }
}
