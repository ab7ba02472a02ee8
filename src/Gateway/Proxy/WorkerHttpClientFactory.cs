using System.Net;
using System.Net.Sockets;
using System.Text;
using Serve.Gateway.Listening;
using Serve.Routes;
using Yarp.ReverseProxy.Forwarder;

namespace Serve.Gateway.Proxy;

/// <summary>The connection pool from this gateway to all workers. Shared by all clusters, so that a changed route prefix keeps the connections.</summary>
internal sealed class WorkerHttpClientFactory(TimeProvider time) : IForwarderHttpClientFactory, IDisposable
{
    // Only a living process answers; one that does not answer in time is treated as dead.
    private static readonly TimeSpan LivenessTimeout = TimeSpan.FromSeconds(2);

    private readonly HttpMessageInvoker _invoker = new(new ReplayableContentHandler(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        MaxConnectionsPerServer = int.MaxValue,
        // As in Kestrel, which reads headers as UTF-8.
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        // Kilobytes. A replica in this process has no limit.
#pragma warning disable CA2262 // 16 MB are meant.
        MaxResponseHeadersLength = 16 * 1024,
#pragma warning restore CA2262
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

    /// <summary>
    /// Determines whether a worker is alive after one of its connections broke: the process may have died, or user code aborted its response. A request without an actor is always refused.
    /// </summary>
    /// <param name="process">The worker.</param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public async Task<bool> IsAliveAsync(ReplicaAddress process, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, process.HttpAddress);
        request.Headers.TryAddWithoutValidation(WireHeaderNames.Token, process.Token);
        using var timeout = new CancellationTokenSource(LivenessTimeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            using var response = await _invoker.SendAsync(request, end.Token);
            return response.Headers.Contains(WireHeaderNames.Refused);
        }
        catch (Exception error) when (error is HttpRequestException || (error is OperationCanceledException && timeout.IsCancellationRequested))
        {
            return false;
        }
    }

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
