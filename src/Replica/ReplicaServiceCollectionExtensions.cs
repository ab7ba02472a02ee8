using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Serve.Replica.Activation;
using Serve.Replica.Http;
using Serve.Replica.Loading;
using Serve.Replica.Routes;
using Serve.Replica.Telemetry;
using Serve.Runtime;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Processes;

namespace Serve.Replica;

/// <summary>Registers this room.</summary>
public static class ReplicaServiceCollectionExtensions
{
    /// <summary>Lets this process hold replicas, node and worker alike. Needs <c>AddServeRouting</c> for handles and routes.</summary>
    /// <param name="services">The services.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddServeReplicas(this IServiceCollection services)
    {
        services.TryAddSingleton<UserAssemblyCache>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IActorActivator, ReplicaActivator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITopicSubscriber, RouteSnapshotSubscriber>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ITopicSubscriber, ModelReportSubscriber>());
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
