namespace Serve.Runtime.Tests.Testing;

/// <summary>A cluster of several local node agents in this process, each with its own resources and worker processes.</summary>
internal sealed class LocalClusterFixture : IAsyncDisposable
{
    private readonly Dictionary<NodeId, LocalAgentFixture> _nodes = [];

    public NodeDirectory Directory { get; } = new();

    public LocalAgentFixture this[string name] => _nodes[new(name)];

    /// <summary>Starts an agent and adds it to the directory.</summary>
    public INodeAgent Join(string name, double cpus = 1)
    {
        var node = new LocalAgentFixture(options => options with { NodeId = name, Resources = ResourceDemand.None.With(ResourceDemand.Cpu, cpus) });
        _nodes.Add(new(name), node);
        Directory.Join(node.Node);
        return node.Node;
    }

    /// <summary>Removes a node from the directory and stops everything on it.</summary>
    public async Task LoseAsync(string name)
    {
        Directory.Leave(new(name));
        _nodes.Remove(new(name), out var node);
        await node!.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values)
            await node.DisposeAsync();
    }
}
