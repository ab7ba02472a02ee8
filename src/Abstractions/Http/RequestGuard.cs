using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Serve.Http;

/// <summary>
/// Protects an interface that can run or deploy code from web pages and unknown callers. Rejects a <c>Host</c> that is neither loopback nor
/// configured (DNS rebinding), browser requests from other sites (<c>Sec-Fetch-Site</c>, <c>Origin</c>), and requests without the
/// token if one is configured.
/// </summary>
public static class RequestGuard
{
    private const string BearerPrefix = "Bearer ";

    /// <summary>Guards all following middleware.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="options">Accepted hosts and token.</param>
    /// <returns>The pipeline.</returns>
    public static IApplicationBuilder UseRequestGuard(this IApplicationBuilder app, RequestGuardOptions options) =>
        app.Use((context, next) => Check(context.Request, options) is { } refusal
            ? ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail)
            : next(context));

    /// <summary>Checks one request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="options">Accepted hosts and token.</param>
    /// <returns>Null if the request is accepted.</returns>
    public static RequestGuardRefusal? Check(HttpRequest request, RequestGuardOptions options)
    {
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

        if (options.Token is { } token && !Presents(request, token))
        {
            return new(StatusCodes.Status401Unauthorized, ErrorReason.Unauthorized,
                "Present the node's token: Authorization: Bearer TOKEN, or --token-file for the CLI.");
        }

        return null;
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

    private static bool Presents(HttpRequest request, string token)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(header[BearerPrefix.Length..].Trim()), Encoding.UTF8.GetBytes(token));
    }
}
