using System.Net;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Serve.Gateway.Listening;

/// <summary>Kestrel's configuration of a gateway.</summary>
internal static class GatewayKestrelExtensions
{
    /// <summary>Listens for HTTP/1.1 and HTTP/2 with prior knowledge on one port, with limits against slow and excessive clients.</summary>
    /// <exception cref="DefinitionException">The host is neither an IP address nor <c>localhost</c>.</exception>
    public static void ListenAsGateway(this KestrelServerOptions kestrel, GatewayOptions options)
    {
        var http = options.Http;
        kestrel.AddServerHeader = false;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.UTF8;
        kestrel.Limits.RequestHeadersTimeout = options.RequestHeadersTimeout;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(http.KeepAliveTimeoutS);
        kestrel.Limits.MaxRequestBodySize = http.MaxRequestBodyBytes;
        var port = new SharedPort([.. AddressesOf(http.Host, http.Port).Select(address => new IPEndPoint(address, http.Port))], kestrel.Limits.KeepAliveTimeout, TimeProvider.System, DescriptorBudget.OfProcess?.MaxConnections);
        foreach (var (endPoint, protocol) in port.EndPoints)
            kestrel.Listen(endPoint, listen => listen.Protocols = protocol);
    }

    private static IPAddress[] AddressesOf(string host, int port)
    {
        // Two sockets on port 0 would be two ports.
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            return port == 0 ? [IPAddress.Loopback] : [IPAddress.Loopback, IPAddress.IPv6Loopback];
        if (host is "*" or "+")
            return [IPAddress.IPv6Any];
        return IPAddress.TryParse(host.Trim('[', ']'), out var address)
            ? [address]
            : throw new DefinitionException($"http_options.host must be an IP address or 'localhost', but was '{host}'.");
    }
}
