using System.Net;
using System.Net.Sockets;
using Serve.Gateway.Listening;
using Yarp.ReverseProxy.Forwarder;

namespace Serve.Gateway.Proxy;

/// <summary>The connection pool from this gateway to all workers. Shared by all clusters, so that a changed route prefix keeps the connections.</summary>
internal sealed class WorkerHttpClientFactory : IForwarderHttpClientFactory, IDisposable
{
    private readonly HttpMessageInvoker _invoker = new(new ReplayableContentHandler(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxConnectionsPerServer = int.MaxValue,
        ConnectCallback = ConnectAsync,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        // Below Kestrel's 130 s, so that a worker does not close a connection while a request is written to it.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
        // A body that is sent without the worker's consent could not be sent to another replica.
        Expect100ContinueTimeout = TimeSpan.FromHours(24),
    }));

    /// <inheritdoc/>
    public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) => _invoker;

    public void Dispose() => _invoker.Dispose();

    // A request that cannot get a descriptor fails; the node keeps the last ones for itself.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (DescriptorBudget.OfProcess?.IsExhaustedBy(socket) is true)
                throw new SocketException((int)SocketError.TooManyOpenSockets);
            await socket.ConnectAsync(IPAddress.TryParse(context.DnsEndPoint.Host, out var address) ? new IPEndPoint(address, context.DnsEndPoint.Port) : context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
