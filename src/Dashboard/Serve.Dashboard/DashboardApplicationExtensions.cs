using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Serve.Dashboard.Access;
using Serve.Dashboard.Actions;
using Serve.Dashboard.Assets;
using Serve.Dashboard.Live;
using Serve.Dashboard.Sampling;
using Serve.Dashboard.Sources;

namespace Serve.Dashboard;

/// <summary>Adds the dashboard to a server.</summary>
public static class DashboardApplicationExtensions
{
    /// <summary>Registers the services of a dashboard.</summary>
    /// <param name="services">Services of the server; they include a <see cref="TimeProvider"/> and an <see cref="IDashboardSource"/>.</param>
    /// <param name="options">Settings.</param>
    public static IServiceCollection AddServeDashboard(this IServiceCollection services, DashboardOptions options) => services
        .AddSingleton(options)
        .AddSingleton<LiveFeed>()
        .AddSingleton(static _ => new SampleHistory())
        .AddSingleton<DashboardSampler>()
        .AddSingleton<GatewayConsole>()
        .AddHostedService(static provider => provider.GetRequiredService<DashboardSampler>())
        .AddSingleton(provider => new DashboardSessionTokens(options.Guard.Token, options.SignInCode, provider.GetRequiredService<TimeProvider>()));

    /// <summary>Serves the pages, and accepts requests of browsers that are signed in. Is called before the guarded API is added.</summary>
    /// <param name="app">The server.</param>
    public static IApplicationBuilder UseServeDashboard(this IApplicationBuilder app)
    {
        app.UseMiddleware<DashboardAssetMiddleware>();
        return app.UseMiddleware<DashboardAccessMiddleware>();
    }

    /// <summary>Maps the dashboard's API. Callers are checked before.</summary>
    /// <param name="routes">The server.</param>
    public static IEndpointRouteBuilder MapServeDashboard(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(DashboardAccessMiddleware.SessionPath + "/codes", static (DashboardSessionTokens sessions) => Results.Json(new DashboardSignInCode
            {
                Code = sessions.IsRequired ? sessions.CreateCode() : null,
                ExpiresInS = DashboardSessionTokens.CodeLifetime.TotalSeconds,
            }, ServeJson.Options))
            .WithTags("Dashboard").WithSummary("Creates a code for a link that signs a browser in once.").Produces<DashboardSignInCode>();
        routes.MapLive();
        routes.MapActions();
        return routes;
    }
}
