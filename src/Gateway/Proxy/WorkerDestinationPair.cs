using Serve.Routes;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace Serve.Gateway.Proxy;

/// <summary>A worker's two ports as YARP knows destinations. Immutable.</summary>
internal sealed class WorkerDestinationPair(ReplicaAddress process)
{
    private readonly DestinationState? _http = Of(process, process.HttpAddress);
    private readonly DestinationState? _call = Of(process, process.CallAddress);

    /// <summary>Where a request goes.</summary>
    /// <param name="attempt">The request; told which protocol it goes by.</param>
    /// <returns>Null when the process takes none.</returns>
    public DestinationState? For(WorkerForwardAttempt attempt)
    {
        attempt.IsDuplex = attempt.WantsDuplex && _call is not null;
        return attempt.IsDuplex ? _call : _http;
    }

    private static DestinationState? Of(ReplicaAddress process, string? address) => address is null
        ? null
        : new DestinationState(process.ProcessId, new DestinationModel(new DestinationConfig { Address = address }));
}
