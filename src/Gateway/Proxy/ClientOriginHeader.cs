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
    /// <returns>Scheme, address and port.</returns>
    public static string Of(HttpContext context)
    {
        if (context.Features.Get<IConnectionItemsFeature>()?.Items is not { } items)
            return Describe(context);
        if (!items.TryGetValue(Key, out var known))
            items[Key] = known = Describe(context);
        return (string)known!;
    }

    private static string Describe(HttpContext context)
    {
        var connection = context.Connection;
        var client = new IPEndPoint(connection.RemoteIpAddress ?? IPAddress.None, connection.RemotePort);
        return string.Create(CultureInfo.InvariantCulture, $"{context.Request.Scheme}://{client}");
    }
}
