using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing;

/// <summary>Registers this room.</summary>
public static class RoutingServiceCollectionExtensions
{
    /// <summary>Registers the process's one <see cref="RouteTable"/>, also as <see cref="IHandleFactory"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="resolve">Makes the function that turns a replica into something to call.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddServeRouting(
        this IServiceCollection services, Func<IServiceProvider, Func<ReplicaRoute, ICallTarget>> resolve)
    {
        services.TryAddSingleton(provider => new RouteTable(resolve(provider), provider.GetService<TimeProvider>()));
        services.TryAddSingleton<IHandleFactory>(provider => provider.GetRequiredService<RouteTable>());
        return services;
    }
}
