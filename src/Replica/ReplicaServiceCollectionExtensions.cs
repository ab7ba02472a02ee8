using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Serve.Replica.Activation;
using Serve.Replica.Http;
using Serve.Replica.Loading;
using Serve.Replica.Routes;
using Serve.Replica.Telemetry;
using Serve.Replicas;
using Serve.Routing;
using Serve.Runtime;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Processes;

namespace Serve.Replica;

/// <summary>Registers the services of this project.</summary>
public static class ReplicaServiceCollectionExtensions
{
    /// <summary>Registers the hosting of replicas, for nodes and workers. Requires <c>AddServeRouting</c> for handles and routes.</summary>
    /// <param name="services">Services of the process.</param>
    /// <param name="folders">Folders of the node.</param>
    public static IServiceCollection AddServeReplicas(this IServiceCollection services, ReplicaFolders folders)
    {
        services.TryAddSingleton(folders);
        services.TryAddSingleton<UserAssemblyCache>();
        services.TryAddSingleton<PackageClassLoader>();
        services.TryAddSingleton<IPickerClassLoader>(static provider => provider.GetRequiredService<PackageClassLoader>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IActorActivator, ReplicaActivator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITopicSubscriber, RouteSnapshotSubscriber>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITopicSubscriber, ModelReportSubscriber>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITopicSubscriber, RoutingStatsSubscriber>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITopicSubscriber, WakeUpReporter>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITopicSubscriber, DeploymentLoadReporter>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITopicSubscriber, RevisionRequestReporter>());
        return services.AddActorHttpServer();
    }

    /// <summary>Lets the actors of a worker serve HTTP and export metrics.</summary>
    /// <param name="services">The services.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddActorHttpServer(this IServiceCollection services)
    {
        services.TryAddSingleton<IActorHttpServer, ActorHttpServer>();
        services.TryAddSingleton<IProcessMetricsCollector, PrometheusMetricsCollector>();
        return services;
    }
}
