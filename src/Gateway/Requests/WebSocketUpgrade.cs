using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Gateway.Requests;

/// <summary>Detection of WebSocket requests: HTTP/1.1's <c>Upgrade</c> and HTTP/2's extended <c>CONNECT</c>.</summary>
internal static class WebSocketUpgrade
{
    /// <summary>Returns whether a request opens a WebSocket.</summary>
    public static bool IsRequested(HttpContext context) =>
        HttpMethods.IsConnect(context.Request.Method)
        || (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
            && context.Request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase));
}
