using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Serve.Http;
using Serve.Routes;

namespace Serve.Gateway.Proxy;

/// <summary>
/// Removes the headers of a client that must not reach a deployment in any isolation: those that only a gateway may send to a worker, and those that concern the client's
/// connection only (RFC 9110, 7.6.1).
/// </summary>
internal static class ClientHeaderFilter
{
    private static readonly string[] Internal =
    [
        WireHeaderNames.Token, WireHeaderNames.Actor, WireHeaderNames.PathBase, WireHeaderNames.Client, WireHeaderNames.BodyLimit, WireHeaderNames.Head, WireHeaderNames.Refused,
        WireHeaderNames.Urgency,
    ];

    /// <summary>Filters the headers of a request.</summary>
    /// <param name="context">The request.</param>
    public static void Apply(HttpContext context)
    {
        var headers = context.Request.Headers;
        foreach (var name in Internal)
            headers.Remove(name);
        if (headers.Connection is { Count: > 0 } connection)
            RemoveOptions(context, connection);
        if (headers.TransferEncoding.Count > 0)
            headers.TransferEncoding = default;
        if (headers.TE.Count > 0)
            headers.TE = default;
        if (headers.KeepAlive.Count > 0)
            headers.KeepAlive = default;
        headers.Remove(HeaderNames.ProxyConnection);
    }

    private static void RemoveOptions(HttpContext context, StringValues connection)
    {
        var headers = context.Request.Headers;
        var isUpgrade = WebSocketUpgrade.IsRequested(context);
        foreach (var line in connection)
        {
            foreach (var option in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                // A client must not remove headers that the request itself depends on.
                if (!option.Equals("Host", StringComparison.OrdinalIgnoreCase) && !option.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
                    && !(isUpgrade && option.StartsWith("Sec-WebSocket-", StringComparison.OrdinalIgnoreCase)))
                    headers.Remove(option);
            }
        }

        headers.Connection = isUpgrade ? "Upgrade" : default(StringValues);
        headers.Upgrade = isUpgrade ? "websocket" : default(StringValues);
    }
}
