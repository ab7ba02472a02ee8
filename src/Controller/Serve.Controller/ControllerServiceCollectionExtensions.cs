using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Prometheus;

namespace Serve.Controller;

/// <summary>Registers the controller and its admin API.</summary>
public static class ControllerServiceCollectionExtensions
{
    /// <summary>
    /// Registers the controller over an open state directory. Its neighbours are the caller's: <c>IActorRuntime</c> and
    /// <see cref="IApplicationSource"/>. Resolving <see cref="ServeController"/> opens the database; <see cref="ServeController.Start"/> begins.
    /// </summary>
    public static IServiceCollection AddServeController(this IServiceCollection services, ControllerOptions options, NodeStateDirectory directory)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(Prometheus.Metrics.DefaultRegistry);
        services.TryAddSingleton<NodeListenAddresses>();
        services.AddSingleton(options);
        services.AddSingleton(directory);
        services.AddSingleton<IClusterStore>(provider => SqliteClusterStore.Open(provider.GetRequiredService<NodeStateDirectory>().Database));
        services.AddSingleton(provider => new ControllerMetrics(provider.GetRequiredService<CollectorRegistry>()));
        services.AddSingleton<ServeController>();
        return services;
    }

    /// <summary>Registers what the admin API's own server needs beside the controller: its documents.</summary>
    public static IServiceCollection AddServeAdmin(this IServiceCollection services) => services.AddAdminDocs();
}
