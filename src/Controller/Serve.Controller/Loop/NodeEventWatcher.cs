using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Serve.Control.Observed;
using Serve.Nodes;

namespace Serve.Controller.Loop;

/// <summary>The nodes that the controller places replicas on.</summary>
internal sealed class NodeAgentSet(params IReadOnlyList<(NodeId Id, INodeAgent Agent)> agents)
{
    /// <summary>The agents by node.</summary>
    public IReadOnlyList<(NodeId Id, INodeAgent Agent)> Agents => agents;

    /// <summary>Returns the agent of a node; null if the node is not a member of the cluster.</summary>
    public INodeAgent? Find(NodeId node) => agents.FirstOrDefault(member => member.Id == node).Agent;

    /// <summary>Returns the current state of the nodes.</summary>
    public ImmutableSortedDictionary<NodeId, NodeView> Read() => agents.ToImmutableSortedDictionary(member => member.Id, member =>
    {
        var resources = member.Agent.Resources;
        return new NodeView { Id = member.Id, Total = new(resources.Total.Units), Reserved = new(resources.Reserved.Units) };
    });
}

/// <summary>Watches the events of every agent and reports them to the control loop.</summary>
internal sealed partial class NodeEventWatcher(NodeAgentSet nodes, Func<ControlEvent, ValueTask> report, ILogger<NodeEventWatcher> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;

    public void Start() => _watching = Task.WhenAll(nodes.Agents.Select(member => Task.Run(() => WatchAsync(member.Id, member.Agent))));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        _stopping.Dispose();
    }

    private async Task WatchAsync(NodeId node, INodeAgent agent)
    {
        try
        {
            await foreach (var happened in agent.WatchAsync(afterVersion: 0, _stopping.Token))
            {
                if (happened is NodeEvent.ActorDied died && ReplicaId.TryParse(died.Id.Value, out var replica))
                    await report(new ControlEvent.ObservationReceived(new ControlObservation.ReplicaDied(replica, died.Reason)));
                else if (happened is NodeEvent.WorkerDied worker)
                    Log.WorkerDied(logger, worker.WorkerId, worker.ProcessId, node, worker.Reason);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The controller stops.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3020, LogLevel.Debug, "Worker {Worker} (process {ProcessId}) of node {Node} died: {Reason}")]
        public static partial void WorkerDied(ILogger logger, string worker, int processId, NodeId node, string reason);
    }
}
