using Serve.Routes;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Serve.Gateway.Proxy;

/// <summary>The two ports of a worker as YARP destinations. Immutable.</summary>
internal sealed class WorkerDestinationPair(ReplicaAddress process)
{
    private readonly DestinationState? _http = Of(process, process.HttpAddress);
    private readonly DestinationState? _call = Of(process, process.CallAddress);

    /// <summary>Selects the destination of a request.</summary>
    /// <param name="attempt">The request; its protocol is set.</param>
    /// <returns>Null if the process accepts no requests.</returns>
    public DestinationState? For(WorkerForwardAttempt attempt)
    {
        attempt.IsDuplex = attempt.WantsDuplex && _call is not null;
        return attempt.IsDuplex ? _call : _http;
    }

    private static DestinationState? Of(ReplicaAddress process, string? address) => address is null
        ? null
        : new DestinationState(process.ProcessId, new DestinationModel(new DestinationConfig { Address = address }));
}
