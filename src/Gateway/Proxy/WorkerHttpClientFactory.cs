using System.Net;
using Yarp.ReverseProxy.Forwarder;

namespace Serve.Gateway.Proxy;

/// <summary>The one connection pool from this gateway to all workers, shared by every cluster: an application's change of prefix must not cost connections.</summary>
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
        // Below Kestrel's own 130 s, so that a worker never closes a connection just as a request is written to it.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
        // A worker says when it wants the body; sending it unasked after a while would take it from the replica that is asked next.
        Expect100ContinueTimeout = TimeSpan.FromHours(24),
    }));

    /// <inheritdoc/>
    public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) => _invoker;

    public void Dispose() => _invoker.Dispose();
}
