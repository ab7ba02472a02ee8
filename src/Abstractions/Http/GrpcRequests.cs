using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Serve.Http;

/// <summary>gRPC calls among HTTP requests.</summary>
public static class GrpcRequests
{
    /// <summary>Name of the header with the time limit of a call.</summary>
    public const string TimeoutHeader = "grpc-timeout";

    /// <summary>Returns whether a request is a gRPC call; gRPC-Web is not.</summary>
    /// <param name="request">The request.</param>
    /// <returns>Whether it is a gRPC call.</returns>
    public static bool IsGrpc(HttpRequest request) =>
        request.ContentType is { } type
        && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && !type.StartsWith("application/grpc-web", StringComparison.OrdinalIgnoreCase);

    /// <summary>Parses the value of <see cref="TimeoutHeader"/>: at most 8 digits and a unit (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).</summary>
    /// <param name="text">The value.</param>
    /// <returns>The time limit; null if the value is malformed.</returns>
    public static TimeSpan? ParseTimeout(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length is < 2 or > 9 || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var amount))
            return null;
        var unit = text[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 1.0 / TimeSpan.NanosecondsPerTick,
            _ => 0.0,
        };
        return unit > 0 ? new TimeSpan((long)(amount * unit)) : null;
    }
}
