namespace Serve.Routes;

/// <summary>The headers that a gateway and a worker exchange. A gateway drops them from what clients send; a worker drops them before user code looks.</summary>
public static class WireHeaderNames
{
    /// <summary>Request: the worker's token.</summary>
    public const string Token = "Serve-Token";

    /// <summary>Request: the actor that is to answer.</summary>
    public const string Actor = "Serve-Actor";

    /// <summary>Request: how much of the path is the route prefix; becomes <c>PathBase</c>.</summary>
    public const string PathBase = "Serve-Path-Base";

    /// <summary>Request: the scheme and remote end point that the client used, as <c>http://ADDRESS:PORT</c>: user code sees what it would see in the gateway's own process.</summary>
    public const string Client = "Serve-Client";

    /// <summary>Request: how large its body may be once it is decompressed, where it says that it is compressed, and each message of a gRPC call.</summary>
    public const string BodyLimit = "Serve-Body-Limit";

    /// <summary>Response: the request was not started; <c>full</c> or <c>gone</c>.</summary>
    public const string Refused = "Serve-Refused";

    /// <summary>Request and response: the request's id. Taken from the client when it is sane, made up otherwise.</summary>
    public const string RequestId = "X-Request-ID";

    /// <summary>Request: the multiplexed model asked for; Ray Serve's own name.</summary>
    public const string MultiplexedModelId = "serve_multiplexed_model_id";

    /// <summary>Request, on <c>/-/call</c>: how many milliseconds the call may take.</summary>
    public const string TimeoutMs = "Serve-Timeout-Ms";
}
