using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Serve.Gateway.Requests;
using Serve.Routing;

namespace Serve.Gateway.Endpoints;

/// <summary>Health and routes of the gateway itself, for load balancers and operators.</summary>
internal static class GatewayStatusEndpoints
{
    /// <summary>Maps <c>/-/healthz</c> and <c>/-/routes</c>, as in Ray Serve's proxies.</summary>
    /// <param name="routes">The gateway's endpoints.</param>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var availability = routes.ServiceProvider.GetRequiredService<GatewayAvailability>();
        var table = routes.ServiceProvider.GetRequiredService<RouteTable>();
        routes.MapGet("/-/healthz", context => HealthAsync(context, availability));
        routes.MapGet("/-/routes", context => RoutesAsync(context, table));
    }

    private static Task HealthAsync(HttpContext context, GatewayAvailability availability)
    {
        context.Response.ContentType = "text/plain";
        context.Response.StatusCode = availability.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(availability.IsDraining ? "draining" : availability.IsReady ? "success" : "starting", context.RequestAborted);
    }

    private static Task RoutesAsync(HttpContext context, RouteTable table)
    {
        var prefixes = table.Current.ByLongestPrefix
            .OrderBy(entry => entry.Route.RoutePrefix, StringComparer.Ordinal)
            .ToDictionary(entry => entry.Route.RoutePrefix!, entry => entry.Route.Application);
        return context.Response.WriteAsJsonAsync(prefixes, context.RequestAborted);
    }
}
