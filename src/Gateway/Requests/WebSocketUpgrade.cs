using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Gateway.Requests;

/// <summary>Tells requests that ask for a WebSocket from all others: HTTP/1.1's <c>Upgrade</c> and HTTP/2's extended <c>CONNECT</c>.</summary>
internal static class WebSocketUpgrade
{
    /// <summary>Whether a request asks for one.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Whether it does.</returns>
    public static bool IsRequested(HttpContext context) =>
        HttpMethods.IsConnect(context.Request.Method)
        || (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
            && context.Request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase));
}
