using System.Net;
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
}
