using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Serve.Control.Observed;
using Serve.Nodes;

namespace Serve.Controller.Loop;

/// <summary>Watches the node directory and the events of every agent, and reports both to the control loop.</summary>
internal sealed partial class NodeEventWatcher(INodeDirectory nodes, Func<ControlEvent, ValueTask> report, TimeProvider time, ILogger<NodeEventWatcher> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _watching = Task.CompletedTask;

    public void Start() => _watching = Task.Run(WatchDirectoryAsync);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        _stopping.Dispose();
    }

    private async Task WatchDirectoryAsync()
    {
        Dictionary<INodeAgent, (CancellationTokenSource Stopping, Task Watching)> watched = [];
        try
        {
            await foreach (var snapshot in nodes.WatchAsync(_stopping.Token))
            {
                foreach (var left in watched.Keys.Except(snapshot.Agents).ToList())
                {
                    Log.NodeLeft(logger, left.Id);
                    watched.Remove(left, out var removed);
                    await StopAsync(removed);
                }

                foreach (var joined in snapshot.Agents.Where(agent => !watched.ContainsKey(agent)))
                {
                    Log.NodeJoined(logger, joined.Id);
                    var stopping = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                    watched[joined] = (stopping, WatchAgentAsync(joined, stopping.Token));
                }

                await report(ControlEvent.Tick.Instance);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The controller stops.
        }

        foreach (var agent in watched.Values)
            await StopAsync(agent);
    }

    private async Task WatchAgentAsync(INodeAgent agent, CancellationToken cancellationToken)
    {
        try
        {
            // A node that has returned may host replicas that were replaced elsewhere.
            await report(new ControlEvent.ObservationReceived(new ControlObservation.ReplicasFound(await ReplicaRegisterReader.ReadAsync(agent, time.GetUtcNow(), cancellationToken))));
            await foreach (var happened in agent.WatchAsync(0, cancellationToken))
            {
                if (happened is NodeEvent.ActorDied died && ReplicaId.TryParse(died.Id.Value, out var replica))
                    await report(new ControlEvent.ObservationReceived(new ControlObservation.ReplicaDied(replica, died.Reason)));
                else if (happened is NodeEvent.WorkerDied worker)
                    Log.WorkerDied(logger, worker.WorkerId, worker.ProcessId, agent.Id, worker.Reason);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node has left, or the controller stops.
        }
    }

    private static async Task StopAsync((CancellationTokenSource Stopping, Task Watching) agent)
    {
        await agent.Stopping.CancelAsync();
        await agent.Watching;
        agent.Stopping.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(3020, LogLevel.Debug, "Node {Node} joined")]
        public static partial void NodeJoined(ILogger logger, NodeId node);

        [LoggerMessage(3021, LogLevel.Warning, "Node {Node} left")]
        public static partial void NodeLeft(ILogger logger, NodeId node);

        [LoggerMessage(3022, LogLevel.Debug, "Worker {Worker} (process {ProcessId}) of node {Node} died: {Reason}")]
        public static partial void WorkerDied(ILogger logger, string worker, int processId, NodeId node, string reason);
    }
}

/// <summary>Projects the node directory to the controller's view of the nodes.</summary>
internal static class NodeViewProjection
{
    public static ImmutableSortedDictionary<NodeId, NodeView> Of(NodeDirectorySnapshot directory) => directory.Agents.ToImmutableSortedDictionary(agent => agent.Id, agent =>
    {
        var resources = agent.Resources;
        return new NodeView { Id = agent.Id, Phase = agent.Phase, Total = new(resources.Total.Units), Reserved = new(resources.Reserved.Units) };
    });
}
