namespace Serve.Routes;

/// <summary>
/// Names of the headers between a gateway and a worker. A gateway removes them from the requests of clients; a worker removes them before user code runs.
/// </summary>
public static class WireHeaderNames
{
    /// <summary>Request: the worker's token.</summary>
    public const string Token = "Serve-Token";

    /// <summary>Request: the actor that answers it.</summary>
    public const string Actor = "Serve-Actor";

    /// <summary>Request: the part of the path that is the route prefix; becomes <c>PathBase</c>.</summary>
    public const string PathBase = "Serve-Path-Base";

    /// <summary>
    /// Request: protocol, scheme, remote and local endpoint of the client's connection as <c>HTTP/1.1 http ADDRESS:PORT ADDRESS:PORT</c>, so that user code sees the same as in the
    /// gateway's process.
    /// </summary>
    public const string Client = "Serve-Client";

    /// <summary>Request: maximum size of a compressed body after decompression, and of each message of a gRPC call.</summary>
    public const string BodyLimit = "Serve-Body-Limit";

    /// <summary>Request: the complete head, if ordinary headers cannot carry it unchanged.</summary>
    public const string Head = "Serve-Head";

    /// <summary>Response: the request was not started; <c>full</c> or <c>gone</c>, followed by the worker's token, which user code does not know.</summary>
    public const string Refused = "Serve-Refused";

    /// <summary>Request and response: the request's id. The client's value is used if it is valid, a generated one otherwise.</summary>
    public const string RequestId = "X-Request-ID";

    /// <summary>Request: the requested multiplexed model; Ray Serve's name.</summary>
    public const string MultiplexedModelId = "serve_multiplexed_model_id";

    /// <summary>Request to <c>/-/call</c>: the key by which a routing policy selects the replica, percent-encoded.</summary>
    public const string RoutingKey = "Serve-Routing-Key";

    /// <summary>Request: time that the client waits for the response, in milliseconds.</summary>
    public const string TimeoutMs = "Serve-Timeout-Ms";

    /// <summary>Request: priority, -10 to 10; requests with higher ones leave queues first.</summary>
    public const string Priority = "Serve-Priority";

    /// <summary>Request to a worker: <see cref="RequestUrgency"/>.</summary>
    public const string Urgency = "Serve-Urgency";
}
