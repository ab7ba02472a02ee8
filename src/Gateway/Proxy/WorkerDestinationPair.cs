using Serve.Routes;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Serve.Gateway.Proxy;

/// <summary>The two ports of a worker as YARP destinations. Immutable.</summary>
internal sealed class WorkerDestinationPair(ReplicaAddress process)
{
    private readonly DestinationState? _http = Of(process, process.HttpAddress);
    private readonly DestinationState? _http2 = Of(process, process.Http2Address);

    /// <summary>Selects the destination of a request.</summary>
    /// <param name="attempt">The request; its protocol is set.</param>
    /// <returns>Null if the process accepts no requests.</returns>
    public DestinationState? For(WorkerForwardAttempt attempt)
    {
        attempt.IsHttp2 = attempt.WantsHttp2 && _http2 is not null;
        return attempt.IsHttp2 ? _http2 : _http;
    }

    private static DestinationState? Of(ReplicaAddress process, string? address) => address is null
        ? null
        : new DestinationState(process.ProcessId, new DestinationModel(new DestinationConfig { Address = address }));
}
