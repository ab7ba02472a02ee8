using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Serve.Http;

/// <summary>
/// Protects an interface that can run or deploy code from web pages and unknown callers. Accepts every request that presents the token, if one is
/// configured. Rejects others with a <c>Host</c> that is neither loopback nor configured (DNS rebinding), browser requests from other sites
/// (<c>Sec-Fetch-Site</c>, <c>Origin</c>), and, if a token is configured, all the rest.
/// </summary>
public static class RequestGuard
{
    private const string BearerPrefix = "Bearer ";

    /// <summary>Checks one request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="options">Accepted hosts and token.</param>
    /// <returns>Null if the request is accepted.</returns>
    public static RequestGuardRefusal? Check(HttpRequest request, RequestGuardOptions options)
    {
        if (options.Token is { } token && request.Headers.Authorization.ToString() is { Length: > 0 } presented)
        {
            return IsToken(presented, token)
                ? null
                : new(StatusCodes.Status401Unauthorized, ErrorReason.Unauthorized, "The presented token is not that of this node.");
        }

        if (!IsAllowedHost(request.Host.Host, options))
        {
            return new(StatusCodes.Status403Forbidden, ErrorReason.Forbidden,
                $"Host '{request.Host.Host}' is not accepted here. Use 127.0.0.1, or start the node with --allowed-host {request.Host.Host}.");
        }

        if (!IsSameSite(request, options))
        {
            return new(StatusCodes.Status403Forbidden, ErrorReason.Forbidden,
                "A web page of another site may not call this interface.");
        }

        return options.Token is null
            ? null
            : new(StatusCodes.Status401Unauthorized, ErrorReason.Unauthorized, "This node requires its token: Authorization: Bearer TOKEN.");
    }

    /// <summary>Whether a host name or address is loopback.</summary>
    /// <param name="host">Host name or address without port.</param>
    /// <returns>Whether it is loopback.</returns>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsAllowedHost(string host, RequestGuardOptions options) =>
        IsLoopback(host) || options.AllowedHosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    private static bool IsSameSite(HttpRequest request, RequestGuardOptions options)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0 && site is not ("same-origin" or "none"))
            return false;
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0)
            return true;
        return Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase)
            && IsAllowedHost(uri.Host, options);
    }

    // Compares without allocating, in a time that does not depend on the content.
    private static bool IsToken(string presented, string token) =>
        presented.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(
            MemoryMarshal.AsBytes(presented.AsSpan(BearerPrefix.Length).Trim()), MemoryMarshal.AsBytes(token.AsSpan()));
}
