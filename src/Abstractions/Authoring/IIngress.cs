using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Serve;

/// <summary>A deployment that maps its own endpoints, filters and groups instead of using the automatic binding of its methods.</summary>
public interface IIngress
{
    /// <summary>Maps the endpoints. Called once, after the constructor. Paths are relative to the application's route prefix.</summary>
    /// <param name="routes">The route builder, as in a minimal API.</param>
    void Map(IEndpointRouteBuilder routes);

    /// <summary>
    /// Adds middleware, which runs after routing and before the endpoints, also for paths without an endpoint. Called once, before <see cref="Map"/>. A class that adds none receives the
    /// middleware of the services that its <c>ConfigureServices</c> registers: CORS, authentication, authorization, rate limiting, request timeouts, output caching and antiforgery, in this
    /// order. A class that adds any adds all that its endpoints require.
    /// </summary>
    /// <param name="app">The builder of the deployment's pipeline, as in <c>WebApplication</c>.</param>
    void Configure(IApplicationBuilder app)
    {
    }
}
