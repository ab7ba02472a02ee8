using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing;

/// <summary>Registers routing.</summary>
public static class RoutingServiceCollectionExtensions
{
    /// <summary>Registers the process's <see cref="RouteTable"/>, also as <see cref="IHandleFactory"/>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="resolve">Creates the function that returns the call target of a replica.</param>
    public static IServiceCollection AddServeRouting(
        this IServiceCollection services, Func<IServiceProvider, Func<ReplicaRoute, ICallTarget>> resolve)
    {
        services.TryAddSingleton(provider => new RouteTable(
            resolve(provider), provider.GetService<TimeProvider>(), provider.GetService<IPickerClassLoader>(), provider.GetService<ILogger<RouteTable>>()));
        services.TryAddSingleton<IHandleFactory>(provider => provider.GetRequiredService<RouteTable>());
        return services;
    }
}
