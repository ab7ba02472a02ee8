using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Serve.Nodes;

/// <summary>The nodes that are members of the cluster. Thread-safe.</summary>
public interface INodeDirectory
{
    /// <summary>The newest snapshot.</summary>
    NodeDirectorySnapshot Current { get; }

    /// <summary>Streams snapshots: the newest at once, then the newest after each change. Snapshots that are replaced before they are read are skipped.</summary>
    /// <param name="cancellationToken">Ends the stream.</param>
    IAsyncEnumerable<NodeDirectorySnapshot> WatchAsync(CancellationToken cancellationToken);
}

/// <summary>The member nodes at one version of the directory. Immutable.</summary>
/// <param name="Version">Increases with every change.</param>
/// <param name="Agents">The agents, in the order in which they joined.</param>
public sealed record NodeDirectorySnapshot(long Version, ImmutableArray<INodeAgent> Agents)
{
    /// <summary>Finds the agent of a node; null if the node is not a member.</summary>
    /// <param name="id">The node.</param>
    public INodeAgent? Find(NodeId id) => Agents.FirstOrDefault(agent => agent.Id == id);
}

/// <summary>A directory in the memory of one process: of a single node, or of several local agents.</summary>
public sealed class NodeDirectory : INodeDirectory
{
    private readonly Lock _sync = new();
    private volatile Entry _newest;

    /// <summary>Creates a directory.</summary>
    /// <param name="agents">The first members.</param>
    public NodeDirectory(params ReadOnlySpan<INodeAgent> agents) => _newest = new(new(1, [.. agents]));

    /// <inheritdoc/>
    public NodeDirectorySnapshot Current => _newest.Snapshot;

    /// <summary>Adds a node.</summary>
    /// <param name="agent">Its agent.</param>
    /// <exception cref="ArgumentException">A node of that name is a member already.</exception>
    public void Join(INodeAgent agent)
    {
        ArgumentNullException.ThrowIfNull(agent);
        Change(agents => agents.Any(member => member.Id == agent.Id)
            ? throw new ArgumentException($"Node '{agent.Id}' is already a member of the cluster.", nameof(agent))
            : agents.Add(agent));
    }

    /// <summary>Removes a node; its agent is not disposed. Does nothing if the node is not a member.</summary>
    /// <param name="id">The node.</param>
    public void Leave(NodeId id) => Change(agents => agents.RemoveAll(agent => agent.Id == id));

    /// <inheritdoc/>
    public async IAsyncEnumerable<NodeDirectorySnapshot> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var entry = _newest;
            yield return entry.Snapshot;
            await entry.Replaced.Task.WaitAsync(cancellationToken);
        }
    }

    private void Change(Func<ImmutableArray<INodeAgent>, ImmutableArray<INodeAgent>> change)
    {
        Entry before;
        lock (_sync)
        {
            before = _newest;
            var agents = change(before.Snapshot.Agents);
            if (agents == before.Snapshot.Agents)
                return;
            _newest = new(new(before.Snapshot.Version + 1, agents));
        }

        before.Replaced.SetResult();
    }

    private sealed class Entry(NodeDirectorySnapshot snapshot)
    {
        public NodeDirectorySnapshot Snapshot => snapshot;

        public TaskCompletionSource Replaced { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
