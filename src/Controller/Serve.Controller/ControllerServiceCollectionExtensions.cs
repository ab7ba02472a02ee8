using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Prometheus;
using Serve.Controller.AdminApi;
using Serve.Controller.Applications;
using Serve.Controller.Loop;
using Serve.Controller.Metrics;
using Serve.Controller.Packages;
using Serve.Controller.Store;
using Serve.Nodes;
using Serve.Runtime;

namespace Serve.Controller;

/// <summary>Registers the controller and its admin API.</summary>
public static class ControllerServiceCollectionExtensions
{
    /// <summary>
    /// Registers the controller for an open state directory. The caller registers <see cref="INodeDirectory"/> and <see cref="IApplicationSource"/>. Resolving
    /// <see cref="ServeController"/> opens the database; <see cref="ServeController.StartAsync"/> starts it.
    /// </summary>
    public static IServiceCollection AddServeController(this IServiceCollection services, ControllerOptions options, NodeStateDirectory directory)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(Prometheus.Metrics.DefaultRegistry);
        services.TryAddSingleton<NodeListenAddresses>();
        services.TryAddSingleton<ConfigDirectoryReport>();
        services.AddSingleton(options);
        services.AddSingleton(directory);
        services.AddSingleton<IClusterStore>(provider => SqliteClusterStore.Open(provider.GetRequiredService<NodeStateDirectory>().RequireDatabase(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new ControllerMetrics(provider.GetRequiredService<CollectorRegistry>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<INodePackageSource, StoredPackageSource>();
        services.AddSingleton<ServeController>();
        services.AddSingleton<ITopicSubscriber, DeploymentWakeUpSubscriber>();
        services.AddSingleton<ITopicSubscriber, DeploymentLoadSubscriber>();
        services.AddSingleton<ITopicSubscriber, RevisionRequestSubscriber>();
        services.AddSingleton<ITopicSubscriber, AutoscalingStatsSubscriber>();
        return services;
    }

    /// <summary>Registers the additional services of the admin API's server.</summary>
    public static IServiceCollection AddServeAdmin(this IServiceCollection services) => services.AddAdminDocs();
}
