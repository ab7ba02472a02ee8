using System.Collections.Concurrent;
using Grpc.Net.Client;
using Serve.Routes;

namespace Serve.Runtime.Workers.Rpc;

/// <summary>One channel per process that is called. Written by whoever resolves an actor there first, and by whoever learns that the process is gone.</summary>
internal sealed class CallChannels : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<GrpcChannel>> _channels = new(StringComparer.Ordinal);

    public GrpcChannel To(HostProcessAddress process) =>
        _channels.GetOrAdd(process.ProcessId, static (_, address) => new(() => Open(address)), process.CallAddress!).Value;

    /// <summary>Lets go of a process that is gone. Calls that still run on its channel fail by themselves.</summary>
    public void Forget(string processId) => _channels.TryRemove(processId, out _);

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Value.Dispose();
    }

    // A client of our own, since a bare handler is wrapped into client-side load balancing, which has nothing to balance here and hides
    // whether a connection was made.
    private static GrpcChannel Open(string address) => GrpcChannel.ForAddress(address, new()
    {
        MaxReceiveMessageSize = null,
        MaxSendMessageSize = null,
        DisposeHttpClient = true,
        HttpClient = new HttpClient(new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            InitialHttp2StreamWindowSize = 1 << 20,
        })
        { Timeout = Timeout.InfiniteTimeSpan },
    });
}
