using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Serve.Specs;

namespace Serve.Gateway.Listening;

/// <summary>How the gateway listens.</summary>
public static class GatewayKestrelExtensions
{
    // A client that sends its headers a byte at a time is cut off after this.
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Listens as the options say, HTTP/1.1 and HTTP/2 (prior knowledge) on one port, with limits against slow and greedy clients.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="http">How to listen.</param>
    /// <param name="headersTimeout">How long a client may take to send a request's headers. Default 10 s.</param>
    public static void ConfigureServeGateway(this KestrelServerOptions kestrel, HttpOptions http, TimeSpan? headersTimeout = null)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.RequestHeadersTimeout = headersTimeout ?? HeadersTimeout;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(http.KeepAliveTimeoutS);
        kestrel.Limits.MaxRequestBodySize = http.MaxRequestBodyBytes;
        void Configure(ListenOptions listen)
        {
            // What a connection speaks is decided by its first bytes; this is what it may.
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => new Http2PrefaceMiddleware(next, kestrel.Limits.KeepAliveTimeout, TimeProvider.System).OnConnectionAsync);
        }

        // Port 0 on the name localhost would be two ports, one for each address family.
        if (http.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) && http.Port != 0)
            kestrel.ListenLocalhost(http.Port, Configure);
        else
            kestrel.Listen(AddressOf(http.Host), http.Port, Configure);
    }

    private static IPAddress AddressOf(string host)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            return IPAddress.Loopback;
        if (host is "*" or "+")
            return IPAddress.IPv6Any;
        return IPAddress.TryParse(host.Trim('[', ']'), out var address)
            ? address
            : throw new DefinitionException($"http_options.host: '{host}' is not an IP address or 'localhost'.");
    }
}
