using Serve.Calls;
using Serve.Routing;

namespace Serve.Gateway.Proxy;

/// <summary>State of a request that is being forwarded, shared with YARP's transforms. Written by the request's own flow.</summary>
internal sealed class WorkerForwardAttempt
{
    /// <summary>Key of the attempt in the outgoing request.</summary>
    public static readonly HttpRequestOptionsKey<WorkerForwardAttempt> OptionsKey = new(nameof(WorkerForwardAttempt));

    /// <summary>Gets or sets the current replica.</summary>
    public ReplicaSlot Slot { get; set; } = null!;

    /// <summary>Gets the part of the path that is the route prefix, escaped.</summary>
    public required string PathBase { get; init; }

    /// <summary>Gets the request's id, for logs.</summary>
    public required string RequestId { get; init; }

    /// <summary>Gets the request's body; null if it has none.</summary>
    public ReplayableRequestBody? Body { get; init; }

    /// <summary>Gets deadline and priority.</summary>
    public CallUrgency Urgency { get; init; }

    /// <summary>Gets whether the request upgrades the connection (WebSocket), in which case it has no body.</summary>
    public required bool IsUpgrade { get; init; }

    /// <summary>
    /// Gets whether the request requires HTTP/2: if the client uses it, since Kestrel sends trailers with HTTP/2 only, and for a body that the worker may answer before its end (over
    /// HTTP/1.1 the pool sends the whole body before it reads the response).
    /// </summary>
    public required bool WantsHttp2 { get; init; }

    /// <summary>Gets the limit of the decompressed body, and of each message of a gRPC call; null if the worker does not decompress the body.</summary>
    public long? BodyLimit { get; init; }

    /// <summary>Gets whether the head must be encoded: a framed body is announced there, and HTTP/2 has lower-case names only, which a client of HTTP/1.1 may not have sent.</summary>
    public required bool ChangesHead { get; init; }

    /// <summary>Gets or sets whether it is sent over HTTP/2.</summary>
    public bool IsHttp2 { get; set; }

    /// <summary>Gets or sets the refusal of the worker: <c>full</c> or <c>gone</c>; null if it has not refused.</summary>
    public string? Refused { get; set; }
}
