using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.Execution;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Nodes;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Topics;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime;

/// <summary>Registers the runtime.</summary>
public static class RuntimeServiceCollectionExtensions
{
    /// <summary>Registers the runtime of a node: <see cref="INodeAgent"/> and <see cref="IActorReferenceResolver"/>. It uses the registered activators and topic subscribers.</summary>
    /// <param name="services">The node's services.</param>
    /// <param name="options">Settings of the node.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddServeRuntime(this IServiceCollection services, NodeRuntimeOptions options)
    {
        AddProcess(services, options.NodeId);
        services.AddSingleton(options);
        services.AddSingleton<WorkerProcessPool>();
        services.AddSingleton<NodeCallListener>();
        services.AddSingleton(new ResourceLedger(options.Resources));
        services.AddSingleton<ActorDirectory>();
        services.AddSingleton(provider => new DriverCluster(
            ClusterOf(options),
            cluster => new ClusterWorkerProcesses(cluster, provider.GetRequiredService<WorkerProcessPool>(), folder: null, provider.GetRequiredService<ILogger<DriverCluster>>(), ownsPool: false),
            provider.GetRequiredService<ResourceLedger>(),
            provider.GetRequiredService<ActorDirectory>(),
            provider.GetRequiredService<ILogger<DriverCluster>>(),
            options.NodeId));
        services.AddSingleton<ClusterNodeBinding>();
        services.AddSingleton<Cluster>(provider =>
        {
            provider.GetRequiredService<ClusterNodeBinding>().Start();
            return provider.GetRequiredService<DriverCluster>();
        });
        services.AddSingleton<LocalNodeAgent>();
        services.AddSingleton<INodeAgent>(provider => provider.GetRequiredService<LocalNodeAgent>());
        services.AddSingleton<INodeDirectory>(provider => new NodeDirectory(provider.GetRequiredService<INodeAgent>()));
        return services;
    }

    private static ClusterOptions ClusterOf(NodeRuntimeOptions options) => new()
    {
        NumCpus = (double)options.Resources.Units.GetValueOrDefault(ResourceDemand.Cpu) / ResourceDemand.UnitsPerOne,
        Isolation = options.TaskIsolation,
        WorkerLogDirectory = options.WorkerLogDirectory,

        // The admin API of the node serves its state.
        Observable = false,
    };

    internal static void AddProcess(IServiceCollection services, string processId)
    {
        TransportMetrics.CreateInstruments();
        DedicatedThreadPool.CreateInstruments();
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(new ProcessIdentity(processId));
        services.AddSingleton<ProcessActorHost>();
        services.AddSingleton<ActorReferenceResolver>();
        services.AddSingleton<IActorReferenceResolver>(provider => provider.GetRequiredService<ActorReferenceResolver>());
        services.AddSingleton<TopicPublicationStore>();
        services.AddSingleton<ActorReportRegistry>();
        services.AddSingleton<ProcessConnectionPool>();
    }
}
