using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Serve.Routes;

namespace Serve.Gateway.Proxy;

/// <summary>Value of <see cref="WireHeaderNames.Client"/>: how a client reached the gateway. Computed once per connection.</summary>
internal static class ClientOriginHeader
{
    private static readonly object Key = new();

    /// <summary>Returns the origin of a request's connection.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Protocol, scheme, remote and local endpoint.</returns>
    public static string Of(HttpContext context)
    {
        // The version may differ between the requests of a connection: HTTP/1.0 and HTTP/1.1.
        if (context.Features.Get<IConnectionItemsFeature>()?.Items is not { } items)
            return Describe(context);
        if (!items.TryGetValue(Key, out var known) || !((string)known!).StartsWith(context.Request.Protocol, StringComparison.Ordinal))
            items[Key] = known = Describe(context);
        return (string)known!;
    }

    private static string Describe(HttpContext context)
    {
        var connection = context.Connection;
        var remote = new IPEndPoint(connection.RemoteIpAddress ?? IPAddress.None, connection.RemotePort);
        var local = new IPEndPoint(connection.LocalIpAddress ?? IPAddress.None, connection.LocalPort);
        return string.Create(CultureInfo.InvariantCulture, $"{context.Request.Protocol} {context.Request.Scheme} {remote} {local}");
    }
}
