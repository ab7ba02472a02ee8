using Microsoft.AspNetCore.Http;
using Serve.Http;

namespace Serve.Gateway.Requests;

/// <summary>
/// Rejects requests to a gateway on a loopback address that have a foreign <c>Host</c>: web pages send them by DNS rebinding. A gateway on another address may be reached under every name.
/// </summary>
/// <param name="options">The gateway's settings.</param>
internal sealed class RequestHostFilter(GatewayOptions options)
{
    private readonly bool _isActive = RequestGuard.IsLoopback(options.Http.Host);

    // Clients use few names: the last accepted one is compared without parsing.
    private volatile string? _accepted;

    /// <summary>Checks a request.</summary>
    /// <param name="request">The request.</param>
    /// <returns>Null if the request is accepted.</returns>
    public RequestGuardRefusal? Check(HttpRequest request)
    {
        if (!_isActive)
            return null;
        var host = request.Headers.Host.ToString();
        if (host.Length == 0 || host == _accepted)
            return null;
        if (RequestGuard.CheckHost(request, options.Guard) is { } refusal)
            return IsExempt(request) ? null : refusal;
        _accepted = host;
        return null;
    }

    // Load balancers ask for the health under any name; operators with the token call under any name.
    private bool IsExempt(HttpRequest request) =>
        request.Path == "/-/healthz" || request.Path == "/-/readyz" || (options.Guard.Token is not null && RequestGuard.Check(request, options.Guard) is null);
}
