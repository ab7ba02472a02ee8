using Serve.Http;
using Serve.Specs;

namespace Serve.Gateway;

/// <summary>A gateway's settings; fixed while it runs.</summary>
public sealed record GatewayOptions
{
    /// <summary>How it listens, and the limits users set.</summary>
    public HttpOptions Http { get; init; } = new();

    /// <summary>Who may call deployments through <c>/-/call</c>.</summary>
    public RequestGuardOptions Guard { get; init; } = new();

    /// <summary>Whether problem documents tell a user exception's stack. Default no.</summary>
    public bool IncludeStack { get; init; }
}
