using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Serve.Http;
using Serve.Routing;

namespace Serve.Gateway.Endpoints;

/// <summary>Health and routes of the gateway itself, for load balancers and operators.</summary>
internal static class GatewayStatusEndpoints
{
    /// <summary>Maps <c>/-/healthz</c> and <c>/-/routes</c>, as in Ray Serve's proxies, and <c>/-/readyz</c>.</summary>
    /// <param name="routes">The gateway's endpoints.</param>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var stopping = routes.ServiceProvider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var table = routes.ServiceProvider.GetRequiredService<RouteTable>();
        var readiness = routes.ServiceProvider.GetRequiredService<GatewayReadiness>();
        MapRead(routes, "/-/healthz", context => AnswerAsync(context, stopping.IsCancellationRequested ? "draining" : null));
        MapRead(routes, "/-/readyz", context => AnswerAsync(context, readiness.NotReadyReason));
        MapRead(routes, "/-/routes", context => RoutesAsync(context, table));
    }

    // Other methods would be answered by the endpoint for unknown paths below /-/.
    private static void MapRead(IEndpointRouteBuilder routes, string path, RequestDelegate read)
    {
        routes.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], read);
        routes.Map(path, RefuseAsync);
    }

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.OnStarting(() =>
        {
            context.Response.Headers.Allow = "GET, HEAD";
            return Task.CompletedTask;
        });
        return ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status405MethodNotAllowed, ErrorReason.BadInput, $"Method {context.Request.Method} is not allowed here. Use GET or HEAD.");
    }

    private static Task AnswerAsync(HttpContext context, string? fault)
    {
        context.Response.ContentType = "text/plain";
        context.Response.StatusCode = fault is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(fault ?? "success", context.RequestAborted);
    }

    private static Task RoutesAsync(HttpContext context, RouteTable table)
    {
        var prefixes = table.Current.ByLongestPrefix
            .OrderBy(entry => entry.Route.RoutePrefix, StringComparer.Ordinal)
            .ToDictionary(entry => entry.Route.RoutePrefix!, entry => entry.Route.Application);
        return context.Response.WriteAsJsonAsync(prefixes, context.RequestAborted);
    }
}
