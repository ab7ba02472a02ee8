using System.Collections.Frozen;
using System.Net;
using System.Net.NetworkInformation;
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

        if (CheckHost(request, options) is { } foreign)
            return foreign;

        if (!IsSameSite(request, options))
        {
            return new(StatusCodes.Status403Forbidden, ErrorReason.Forbidden,
                "A web page of another site may not call this interface.");
        }

        return options.Token is null
            ? null
            : new(StatusCodes.Status401Unauthorized, ErrorReason.Unauthorized, "This node requires its token: Authorization: Bearer TOKEN.");
    }

    /// <summary>
    /// Checks the <c>Host</c> of a request: loopback names, IP addresses and the names of the machine are accepted, and those of the options. A web page cannot make a browser send one of
    /// them by DNS rebinding.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="options">Accepted hosts.</param>
    /// <returns>Null if the host is accepted.</returns>
    public static RequestGuardRefusal? CheckHost(HttpRequest request, RequestGuardOptions options)
    {
        var host = request.Host.Host;
        return IsAllowedHost(host, options) ? null : new(StatusCodes.Status403Forbidden, ErrorReason.Forbidden,
            $"Host '{host}' is not accepted here. Use 127.0.0.1, or start the node with --allowed-host {host}.");
    }

    /// <summary>Whether a host name or address is loopback.</summary>
    /// <param name="host">Host name or address without port.</param>
    /// <returns>Whether it is loopback.</returns>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (ParseAddress(host) is { } address && IPAddress.IsLoopback(address));

    private static IPAddress? ParseAddress(string host) => IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address : null;

    private static bool IsAllowedHost(string host, RequestGuardOptions options) =>
        IsLoopback(host) || ParseAddress(host) is not null || options.AllowedHosts.Any(allowed => Matches(host, allowed)) || MachineNames.All.Contains(host);

    private static bool Matches(string host, string allowed) =>
        allowed.StartsWith('*') ? host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase) : host.Equals(allowed, StringComparison.OrdinalIgnoreCase);

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

    // Created when a request has another host than a loopback one: most nodes never do that.
    private static class MachineNames
    {
        public static readonly FrozenSet<string> All = Find().ToFrozenSet(StringComparer.OrdinalIgnoreCase);

        private static IEnumerable<string> Find()
        {
            yield return Environment.MachineName;
            var name = Dns.GetHostName();
            yield return name;
            if (IPGlobalProperties.GetIPGlobalProperties().DomainName is { Length: > 0 } domain)
                yield return $"{name}.{domain}";
        }
    }
}
