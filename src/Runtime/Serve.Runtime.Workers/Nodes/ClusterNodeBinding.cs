using Microsoft.Extensions.Logging;
using Serve.Runtime.Clusters;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>Keeps the nodes of a cluster as in the node directory: tasks, actors and placement groups use the nodes that are members, and leave those that are not.</summary>
internal sealed partial class ClusterNodeBinding(DriverCluster cluster, INodeDirectory directory, TimeProvider time, ILogger<ClusterNodeBinding> logger) : IAsyncDisposable
{
    private readonly LeaseOwner _owner = new($"{cluster.Nodes.Current[0].Id}/{Guid.NewGuid():N}");
    private readonly Dictionary<INodeAgent, RemoteNodeWorkers> _joined = [];
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;

    public void Start() => _watching = WatchAsync();

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        _stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            await foreach (var snapshot in directory.WatchAsync(_stopping.Token))
            {
                foreach (var (agent, workers) in _joined.Where(joined => !snapshot.Agents.Contains(joined.Key)).ToArray())
                {
                    Log.NodeLeft(logger, agent.Id);
                    _joined.Remove(agent);

                    // First, so that what ran there is placed on other nodes.
                    cluster.Nodes.Leave(agent.Id.Value);
                    await workers.LoseAsync($"Node '{agent.Id}' has left the cluster.");
                }

                foreach (var agent in snapshot.Agents.Where(agent => agent.Id.Value != cluster.Nodes.Current[0].Id && !_joined.ContainsKey(agent)))
                {
                    Log.NodeJoined(logger, agent.Id);
                    var workers = new RemoteNodeWorkers(cluster, agent, _owner, time);
                    _joined.Add(agent, workers);
                    cluster.Nodes.Join(new(agent.Id.Value, workers.Ledger, workers));
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2011, Level = LogLevel.Debug, Message = "Node {Node} can run tasks and actors of the cluster")]
        public static partial void NodeJoined(ILogger logger, NodeId node);

        [LoggerMessage(EventId = 2012, Level = LogLevel.Warning, Message = "Node {Node} left; its tasks and actors are placed on other nodes")]
        public static partial void NodeLeft(ILogger logger, NodeId node);
    }
}
