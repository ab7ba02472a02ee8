using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Serve.Http;

/// <summary>Detection of WebSocket requests: HTTP/1.1's <c>Upgrade</c> and HTTP/2's extended <c>CONNECT</c>.</summary>
public static class WebSocketUpgrade
{
    /// <summary>Returns whether a request opens a WebSocket.</summary>
    /// <param name="context">The request.</param>
    /// <returns>Whether it opens a WebSocket.</returns>
    public static bool IsRequested(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return HttpMethods.IsConnect(context.Request.Method)
            || (HttpMethods.IsGet(context.Request.Method)
                && context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
                && context.Request.Headers.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase));
    }
}
