using System.Globalization;
using Microsoft.AspNetCore.Http;
using Serve.Calls;
using Serve.Http;
using Serve.Routes;

namespace Serve.Gateway.Requests;

/// <summary>Reads deadline and priority of a request from its headers, and makes them a feature of its context.</summary>
internal static class RequestUrgencyReader
{
    /// <summary>Reads the headers.</summary>
    /// <param name="context">The request.</param>
    /// <param name="scope">Receives the result.</param>
    /// <param name="configured">The gateway's own time limit; null for none.</param>
    /// <param name="time">The clock.</param>
    /// <returns>The time limit to enforce; null for none.</returns>
    /// <exception cref="BadInputException">A header is malformed.</exception>
    public static RequestTimeLimit? Read(HttpContext context, GatewayRequestScope scope, RequestTimeLimit? configured, TimeProvider time)
    {
        var headers = context.Request.Headers;
        if (configured is null && scope.HasCommonHeadersOnly)
            return null;
        var limit = configured;
        if (headers[WireHeaderNames.TimeoutMs] is { Count: > 0 } milliseconds && ParseMilliseconds(milliseconds.ToString()) is var own && (limit is null || own < limit.Duration))
            limit = new(own, WireHeaderNames.TimeoutMs);
        var urgency = new CallUrgency(0, headers[WireHeaderNames.Priority] is { Count: > 0 } priority ? ParsePriority(priority.ToString()) : 0);
        if (limit is not null)
            urgency = urgency.Within(limit.Duration, time);
        // The client of a gRPC call cancels it itself when its deadline has passed.
        if (headers[GrpcRequests.TimeoutHeader] is { Count: > 0 } timeout && GrpcRequests.IsGrpc(context.Request))
            urgency = urgency.Within(ParseGrpcTimeout(timeout.ToString()), time);
        scope.Urgency = urgency;
        if (!urgency.IsDefault)
            context.Features.Set(new RequestUrgency(urgency));
        return limit;
    }

    private static TimeSpan ParseMilliseconds(string text) =>
        // The maximum of a timer is 2^32 - 2 milliseconds.
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds is > 0 and < uint.MaxValue - 1
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw new BadInputException($"{WireHeaderNames.TimeoutMs} must be a number of milliseconds above 0, but was '{text}'.");

    private static int ParsePriority(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var priority) && priority is >= CallUrgency.MinPriority and <= CallUrgency.MaxPriority
            ? priority
            : throw new BadInputException($"{WireHeaderNames.Priority} must be an integer from {CallUrgency.MinPriority} to {CallUrgency.MaxPriority}, but was '{text}'.");

    private static TimeSpan ParseGrpcTimeout(string text) => GrpcRequests.ParseTimeout(text)
        ?? throw new BadInputException($"{GrpcRequests.TimeoutHeader} must be at most 8 digits and a unit (H, M, S, m, u or n), but was '{text}'.");
}

/// <summary>Time limit of a request.</summary>
/// <param name="Duration">The limit.</param>
/// <param name="Setting">Name of the setting or header with the limit, for the error.</param>
internal sealed record RequestTimeLimit(TimeSpan Duration, string Setting);
