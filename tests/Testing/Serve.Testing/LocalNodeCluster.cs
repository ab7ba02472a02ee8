using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Serve.Runtime;

namespace Serve.Testing;

/// <summary>
/// A cluster of several local node agents in this process, each with its own resources and worker processes. The Core cluster of each node uses all nodes, and
/// owns the tasks, actors and placement groups that are created through it.
/// </summary>
/// <param name="workerCommand">Command that starts a worker.</param>
/// <param name="configure">Adds the services of a node, such as its actor activators; receives the node's name.</param>
public sealed class LocalNodeCluster(IReadOnlyList<string> workerCommand, Action<IServiceCollection, string>? configure = null) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, LocalNode> _nodes = new(StringComparer.Ordinal);

    /// <summary>The members.</summary>
    public Nodes.NodeDirectory Directory { get; } = new();

    /// <summary>Returns a node that has joined.</summary>
    public LocalNode this[string name] => _nodes[name];

    /// <summary>Starts a node and adds it to the directory.</summary>
    /// <param name="name">The node's name.</param>
    /// <param name="cpus">Its CPUs.</param>
    /// <param name="change">Changes its options.</param>
    public LocalNode Join(string name, double cpus = 1, Func<NodeRuntimeOptions, NodeRuntimeOptions>? change = null)
    {
        var options = new NodeRuntimeOptions
        {
            NodeId = name,
            WorkerCommand = workerCommand,
            TaskIsolation = Isolation.Process,
            Resources = Nodes.ResourceDemand.None.With(Nodes.ResourceDemand.Cpu, cpus),
        };
        var node = new LocalNode(change?.Invoke(options) ?? options, services =>
        {
            configure?.Invoke(services, name);
            services.AddSingleton<Nodes.INodeDirectory>(Directory);
        });
        _nodes[name] = node;
        Directory.Join(node.Agent);
        return node;
    }

    /// <summary>Removes a node from the directory and kills everything on it.</summary>
    public async Task LoseAsync(string name)
    {
        Directory.Leave(new(name));
        _nodes.Remove(name, out var node);
        await node!.DisposeAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values)
            await node.DisposeAsync();
    }
}

/// <summary>A node agent in this process whose workers are real processes, with the services of its process.</summary>
public sealed class LocalNode : IAsyncDisposable
{
    private readonly DirectoryInfo _logs = Directory.CreateTempSubdirectory("serve-local-node");

    /// <summary>Starts a node.</summary>
    /// <param name="options">Its options; the log folder is replaced by a temporary one.</param>
    /// <param name="configure">Adds services.</param>
    public LocalNode(NodeRuntimeOptions options, Action<IServiceCollection> configure)
    {
        var services = new ServiceCollection();
        services.AddServeRuntime(options with { WorkerLogDirectory = _logs.FullName });
        configure(services);
        Services = services.BuildServiceProvider();
        Agent = Services.GetRequiredService<Nodes.INodeAgent>();
    }

    /// <summary>The services of the node's process.</summary>
    public ServiceProvider Services { get; }

    /// <summary>The agent.</summary>
    public Nodes.INodeAgent Agent { get; }

    /// <summary>The Core cluster whose driver is the node.</summary>
    public Cluster Cluster => Services.GetRequiredService<Cluster>();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Services.DisposeAsync();

        // A test may have disposed it already.
        if (Directory.Exists(_logs.FullName))
            _logs.Delete(recursive: true);
    }
}
