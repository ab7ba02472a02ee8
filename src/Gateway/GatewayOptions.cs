using Serve.Http;
using Serve.Specs;

namespace Serve.Gateway;

/// <summary>Settings of a gateway. Fixed while it runs.</summary>
public sealed record GatewayOptions
{
    /// <summary>Gets address, port and limits.</summary>
    public HttpOptions Http { get; init; } = new();

    /// <summary>Gets the time in which a client must send the headers of a request. Default 10 s.</summary>
    public TimeSpan RequestHeadersTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets the clients that may call deployments through <c>/-/call</c>, and the host names of all requests to a loopback address.</summary>
    public RequestGuardOptions Guard { get; init; } = new();

    /// <summary>Gets the time after which a client that reads less than 240 bytes per second of its response is disconnected (Linux). Default 30 s.</summary>
    public TimeSpan ResponseStallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets whether problem documents contain the stack trace of user exceptions. Default false.</summary>
    public bool IncludeStack { get; init; }
}
