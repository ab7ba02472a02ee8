using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Serve.Control;
using Serve.Control.Observed;
using Serve.Controller.Metrics;
using Serve.Nodes;
using Serve.Replicas;
using Serve.Routes;

namespace Serve.Controller.Loop;

/// <summary>Carries out actions through the agents of their nodes, outside of the control loop, and reports every result exactly once. Stateless otherwise.</summary>
internal sealed partial class ControlActionRunner(
    INodeDirectory nodes, ControllerOptions options, ControllerMetrics metrics, TimeProvider time,
    Func<ControlObservation, ValueTask> report, ILogger<ControlActionRunner> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<ReplicaId, (CancellationTokenSource Cancellation, Task Work)> _starts = new();
    private readonly ConcurrentDictionary<long, Task> _running = new();

    /// <summary>Starts an action. Returns immediately.</summary>
    public void Run(ControlAction action)
    {
        switch (action)
        {
            case ControlAction.StartReplica start:
                var cancellation = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
                var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _starts[start.Replica] = (cancellation, ended.Task);
                Track(action, async () =>
                {
                    try
                    {
                        await StartAsync(start, cancellation);
                    }
                    finally
                    {
                        ended.SetResult();
                    }
                });
                break;
            case ControlAction.StopReplica stop:
                Track(action, () => StopAsync(stop));
                break;
            case ControlAction.ReconfigureReplica change:
                Track(action, () => ReconfigureAsync(change));
                break;
            case ControlAction.CheckReplicaHealth check:
                Track(action, () => CheckHealthAsync(check));
                break;
            case ControlAction.PublishRouteSnapshot publish:
                Track(action, () => PublishAsync(publish));
                break;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_running.Values);
        _stopping.Dispose();
    }

    private void Track(ControlAction action, Func<Task> work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _running[action.Generation] = done.Task;

        // On the thread pool: synchronous code of a user's constructor must not block the control loop.
        _ = Task.Run(async () =>
        {
            try
            {
                await work();
            }
            catch (Exception error)
            {
                Log.ActionFailed(logger, action.GetType().Name, action.Generation, error);
            }
            finally
            {
                _running.TryRemove(action.Generation, out _);
                done.SetResult();
            }
        });
    }

    private INodeAgent Agent(NodeId node) =>
        nodes.Current.Find(node) ?? throw new InsufficientResourcesException($"Node {node} has left the cluster.", isPermanent: false);

    private async Task StartAsync(ControlAction.StartReplica start, CancellationTokenSource cancellation)
    {
        Log.Starting(logger, start.Replica, start.Node, start.Reason);
        var began = Stopwatch.GetTimestamp();
        ControlObservation result;
        try
        {
            var agent = Agent(start.Node);
            await agent.FetchPackageAsync(start.Revision.Package.Hash, cancellation.Token);
            var host = await agent.CreateActorAsync(ReplicaActorSpecFactory.Create(start), cancellation.Token);
            metrics.ReplicaStarted(start.Replica.Deployment, Stopwatch.GetElapsedTime(began));
            result = new ControlObservation.ReplicaStarted(
                start.Replica, start.Generation, new(start.Node, host.ProcessId, host.HttpAddress, host.Http2Address, host.CallAddress, host.Token))
            {
                Notices = await NoticesAsync(agent, start.Replica, cancellation.Token),
            };
        }
        catch (InsufficientResourcesException error)
        {
            result = new ControlObservation.ReplicaPlacementFailed(start.Replica, start.Generation, error.Message, error.IsPermanent);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            result = new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, "canceled");
        }
        catch (Exception error)
        {
            Log.StartFailed(logger, start.Replica, error is ActorCreationException failed ? failed.Details ?? failed.Message : error.ToString());
            result = new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, error.Message, IsNodeFailure: error is not ActorCreationException { IsNodeFailure: false });
        }

        _starts.TryRemove(start.Replica, out _);
        cancellation.Dispose();
        await report(result);
    }

    private async Task StopAsync(ControlAction.StopReplica stop)
    {
        Log.Stopping(logger, stop.Replica, stop.Reason);
        try
        {
            if (_starts.TryGetValue(stop.Replica, out var start))
            {
                Cancel(start.Cancellation);
                await start.Work;
            }

            await Agent(stop.Node).StopActorAsync(new(stop.Replica.ToString()), stop.DrainTimeout, _stopping.Token);
            await report(new ControlObservation.ReplicaStopped(stop.Replica, stop.Generation));
        }
        catch (Exception error)
        {
            Log.StopFailed(logger, stop.Replica, error);
            await report(new ControlObservation.ReplicaStopFailed(stop.Replica, stop.Generation, error.Message));
        }
    }

    private static void Cancel(CancellationTokenSource cancellation)
    {
        try
        {
            cancellation.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The start ended concurrently.
        }
    }

    private async Task ReconfigureAsync(ControlAction.ReconfigureReplica change)
    {
        Log.Reconfiguring(logger, change.Replica, change.Reason);
        using var timeout = new CancellationTokenSource(options.ReconfigureTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        var update = new ReplicaSettingsUpdate { Spec = change.Deployment.Spec, SettingsVersion = change.Deployment.Settings, Place = change.Place };
        try
        {
            await Agent(change.Node).ReconfigureActorAsync(
                new(change.Replica.ToString()), change.Deployment.Spec.MaxOngoingRequests,
                JsonSerializer.SerializeToUtf8Bytes(update, ServeJson.Options), either.Token);
            await report(new ControlObservation.ReplicaReconfigured(change.Replica, change.Generation)
            {
                Notices = await NoticesAsync(Agent(change.Node), change.Replica, either.Token),
            });
        }
        catch (Exception error)
        {
            Log.ReconfigureFailed(logger, change.Replica, error);
            await report(new ControlObservation.ReplicaReconfigureFailed(change.Replica, change.Generation,
                error is OperationCanceledException ? $"did not apply its settings within {options.ReconfigureTimeout.TotalSeconds:0.#} s" : error.Message,
                IsHung: error is OperationCanceledException));
        }
    }

    // A replica that has died since is reported as such; it is not a failed start.
    private static async Task<ImmutableArray<string>> NoticesAsync(INodeAgent agent, ReplicaId replica, CancellationToken cancellationToken)
    {
        try
        {
            return [.. await agent.GetActorNoticesAsync(new(replica.ToString()), cancellationToken)];
        }
        catch (Exception gone) when (gone is IOException or ServeException)
        {
            return [];
        }
    }

    private async Task CheckHealthAsync(ControlAction.CheckReplicaHealth check)
    {
        // The node measures the time limit of the check; this one is for a node that does not answer.
        var limit = check.Timeout + options.AnswerSlack;
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        var began = Stopwatch.GetTimestamp();
        string? error = null;
        try
        {
            await Agent(check.Node).CheckActorAsync(new(check.Replica.ToString()), check.Timeout, either.Token);
        }
        catch (Exception thrown)
        {
            error = thrown is OperationCanceledException ? $"no answer within {limit.TotalSeconds:0.###} s" : thrown.Message;
            Log.HealthCheckFailed(logger, check.Replica, error);
        }

        metrics.HealthChecked(check.Replica.Deployment, Stopwatch.GetElapsedTime(began), error is null);
        await report(new ControlObservation.ReplicaHealthChecked(check.Replica, check.Generation, error));
    }

    private Task PublishAsync(ControlAction.PublishRouteSnapshot publish)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(publish.Snapshot, ServeJson.Options);
        return Task.WhenAll(publish.Nodes.Select(node => PublishAsync(node, publish.Snapshot.Version, payload)));
    }

    // Each node has its own timeout and reports its own result, so that one that hangs does not delay the others.
    private async Task PublishAsync(NodeId node, SnapshotVersion version, byte[] payload)
    {
        using var timeout = new CancellationTokenSource(options.PublishTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        try
        {
            await Agent(node).PublishAsync(RouteSnapshot.Topic, version, payload, either.Token);
            await report(new ControlObservation.RoutesAcknowledged(node, version));
        }
        catch (Exception error)
        {
            Log.PublishFailed(logger, version, node, error);
            await report(new ControlObservation.RoutesNotAcknowledged(node, version, error.Message));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3010, LogLevel.Information, "Replica {Replica} starts on node {Node}: {Reason}")]
        public static partial void Starting(ILogger logger, ReplicaId replica, NodeId node, string reason);

        [LoggerMessage(3011, LogLevel.Warning, "Replica {Replica} failed to start: {Error}")]
        public static partial void StartFailed(ILogger logger, ReplicaId replica, string error);

        [LoggerMessage(3012, LogLevel.Information, "Replica {Replica} stops: {Reason}")]
        public static partial void Stopping(ILogger logger, ReplicaId replica, string reason);

        [LoggerMessage(3013, LogLevel.Error, "Replica {Replica} could not be stopped; the stop will be retried")]
        public static partial void StopFailed(ILogger logger, ReplicaId replica, Exception error);

        [LoggerMessage(3014, LogLevel.Debug, "Replica {Replica} is reconfigured: {Reason}")]
        public static partial void Reconfiguring(ILogger logger, ReplicaId replica, string reason);

        [LoggerMessage(3015, LogLevel.Warning, "Replica {Replica} failed to apply its settings")]
        public static partial void ReconfigureFailed(ILogger logger, ReplicaId replica, Exception error);

        [LoggerMessage(3016, LogLevel.Warning, "Replica {Replica} failed a health check: {Error}")]
        public static partial void HealthCheckFailed(ILogger logger, ReplicaId replica, string error);

        [LoggerMessage(3017, LogLevel.Warning, "Routes {Version} were not acknowledged by node {Node} and will be published again")]
        public static partial void PublishFailed(ILogger logger, SnapshotVersion version, NodeId node, Exception error);

        [LoggerMessage(3018, LogLevel.Error, "Action {Action} {Generation} failed without a result")]
        public static partial void ActionFailed(ILogger logger, string action, long generation, Exception error);
    }
}
