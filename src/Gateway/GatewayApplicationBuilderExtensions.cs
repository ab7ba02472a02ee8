using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve.Gateway.Endpoints;
using Serve.Gateway.Proxy;
using Serve.Gateway.Requests;
using Serve.Http;

namespace Serve.Gateway;

/// <summary>Adds the gateway to a pipeline.</summary>
public static class GatewayApplicationBuilderExtensions
{
    /// <summary>Adds the gateway as the end of a pipeline.</summary>
    /// <param name="app">The gateway's own web application.</param>
    /// <param name="protocols">Adds protocols that are served before routing; null for none.</param>
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
        // Paths below /-/ are the gateway's, also if an application has the route prefix "/".
        routes.Map("/-/{**rest}", NotFoundAsync);
        routes.MapReverseProxy(proxy => proxy.UseMiddleware<ReplicaAdmissionMiddleware>());
    }

    private static Task NotFoundAsync(HttpContext context) =>
        throw new NoSuchRouteException("No application answers at this path. GET /-/routes lists the route prefixes.");
}
