using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve.Gateway.Endpoints;
using Serve.Gateway.Proxy;
using Serve.Gateway.Requests;

namespace Serve.Gateway;

/// <summary>Puts the gateway into a pipeline.</summary>
public static class GatewayApplicationBuilderExtensions
{
    /// <summary>Makes this pipeline the gateway: nothing after it is reached.</summary>
    /// <param name="app">The gateway's own web application.</param>
    /// <param name="protocols">Adds protocols that are served before routes are; null for none.</param>
    /// <returns>The pipeline.</returns>
    public static IApplicationBuilder UseServeGateway(this IApplicationBuilder app, Action<IApplicationBuilder>? protocols = null)
    {
        app.UseMiddleware<GatewayRequestMiddleware>();
        protocols?.Invoke(app);
        app.UseWhen(WebSocketUpgrade.IsRequested, static upgrade => upgrade.UseWebSockets());
        app.UseRouting();
        app.UseEndpoints(MapServeGateway);
        app.Run(NotFoundAsync);
        return app;
    }

    private static void MapServeGateway(IEndpointRouteBuilder routes)
    {
        GatewayStatusEndpoints.Map(routes);
        HandleCallEndpoint.Map(routes);
        // Everything under /-/ is the gateway's own, also when an application answers at "/".
        routes.Map("/-/{**rest}", NotFoundAsync);
        routes.MapReverseProxy(proxy => proxy.UseMiddleware<ReplicaAdmissionMiddleware>());
    }

    private static Task NotFoundAsync(HttpContext context) =>
        throw new NoSuchRouteException("No application answers at this path. GET /-/routes lists the route prefixes.");
}
