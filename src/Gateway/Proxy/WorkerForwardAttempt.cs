using Serve.Routing;

namespace Serve.Gateway.Proxy;

/// <summary>One request that is being forwarded: what the transforms need to know, and what they learned. Written by the request's own flow.</summary>
internal sealed class WorkerForwardAttempt
{
    /// <summary>Where the request that goes out keeps it.</summary>
    public static readonly HttpRequestOptionsKey<WorkerForwardAttempt> OptionsKey = new(nameof(WorkerForwardAttempt));

    /// <summary>The replica asked now.</summary>
    public ReplicaSlot Slot { get; set; } = null!;

    /// <summary>How much of the path is the route prefix, escaped.</summary>
    public required string PathBase { get; init; }

    /// <summary>The request's id, for logs.</summary>
    public required string RequestId { get; init; }

    /// <summary>The request's body; null when it has none.</summary>
    public ReplayableRequestBody? Body { get; init; }

    /// <summary>Whether it asks for a connection of another protocol (WebSocket): then what follows the headers is no body.</summary>
    public required bool IsUpgrade { get; init; }

    /// <summary>
    /// Whether it is to go by HTTP/2: a body that the worker may answer before it has ended (over HTTP/1.1 the pool sends first and listens
    /// then, and a replica that echoes would wait for ever), or gRPC, which ends with trailers that Kestrel has in HTTP/2 only.
    /// </summary>
    public required bool WantsDuplex { get; init; }

    /// <summary>How large its body may be once it is decompressed, and each message of a gRPC call; null where the worker makes no more of the body than comes.</summary>
    public long? BodyLimit { get; init; }

    /// <summary>Whether it goes by HTTP/2 now.</summary>
    public bool IsDuplex { get; set; }

    /// <summary>What the worker said instead of starting the request: <c>full</c> or <c>gone</c>.</summary>
    public string? Refused { get; set; }
}
