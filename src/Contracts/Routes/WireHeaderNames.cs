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

    /// <summary>Request: scheme and remote endpoint of the client as <c>http://ADDRESS:PORT</c>, so that user code sees the same as in the gateway's process.</summary>
    public const string Client = "Serve-Client";

    /// <summary>Request: maximum size of a compressed body after decompression, and of each message of a gRPC call.</summary>
    public const string BodyLimit = "Serve-Body-Limit";

    /// <summary>Response: the request was not started; <c>full</c> or <c>gone</c>.</summary>
    public const string Refused = "Serve-Refused";

    /// <summary>Request and response: the request's id. The client's value is used if it is valid, a generated one otherwise.</summary>
    public const string RequestId = "X-Request-ID";

    /// <summary>Request: the requested multiplexed model; Ray Serve's name.</summary>
    public const string MultiplexedModelId = "serve_multiplexed_model_id";

    /// <summary>Request to <c>/-/call</c>: timeout of the call in milliseconds.</summary>
    public const string TimeoutMs = "Serve-Timeout-Ms";
}
