using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Serve.Control;
using Serve.Replicas;
using Serve.Routes;
using Serve.Runtime;

namespace Serve.Controller;

/// <summary>Carries out actions on the runtime, outside the loop, and reports every outcome exactly once. Holds no state of the platform.</summary>
internal sealed partial class ControlActionRunner(
    INodeAgent runtime, NodeStateDirectory directory, ControllerOptions options, ControllerMetrics metrics, TimeProvider time,
    Func<ControlObservation, ValueTask> report, ILogger<ControlActionRunner> logger) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<ReplicaId, (CancellationTokenSource Cancellation, Task Work)> _starts = new();
    private readonly ConcurrentDictionary<long, Task> _running = new();

    /// <summary>Begins an action. Returns at once.</summary>
    public void Run(ControlAction action)
    {
        // Started on the pool: what a user's constructor does synchronously must not hold the loop up.
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
        _ = Task.Run(async () =>
        {
            try
            {
                await work();
            }
            catch (Exception error)
            {
                Log.ActionBroke(logger, action.GetType().Name, action.Generation, error);
            }
            finally
            {
                _running.TryRemove(action.Generation, out _);
                done.SetResult();
            }
        });
    }

    private async Task StartAsync(ControlAction.StartReplica start, CancellationTokenSource cancellation)
    {
        Log.Starting(logger, start.Replica, start.Reason);
        var began = Stopwatch.GetTimestamp();
        ControlObservation outcome;
        try
        {
            var handle = await runtime.CreateAsync(ReplicaActorSpecFactory.Create(start, directory), cancellation.Token);
            metrics.ReplicaStarted(start.Replica.Deployment, Stopwatch.GetElapsedTime(began));
            outcome = new ControlObservation.ReplicaStarted(start.Replica, start.Generation, new(new(options.NodeId), handle.Process.ProcessId, handle.Process.HttpAddress, handle.Process.Http2Address, handle.Process.CallAddress, handle.Process.Token));
        }
        catch (InsufficientResourcesException error)
        {
            outcome = new ControlObservation.ReplicaPlacementFailed(start.Replica, start.Generation, error.Message, error.IsPermanent);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            outcome = new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, "given up");
        }
        catch (Exception error)
        {
            Log.StartFailed(logger, start.Replica, error is ActorCreationException failed ? failed.Details ?? failed.Message : error.ToString());
            outcome = new ControlObservation.ReplicaStartFailed(start.Replica, start.Generation, error.Message);
        }

        _starts.TryRemove(start.Replica, out _);
        cancellation.Dispose();
        await report(outcome);
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

            await runtime.StopAsync(new(stop.Replica.ToString()), stop.DrainTimeout, _stopping.Token);
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
            // The start ended between the look and the cancellation.
        }
    }

    private async Task ReconfigureAsync(ControlAction.ReconfigureReplica change)
    {
        Log.Reconfiguring(logger, change.Replica, change.Reason);
        using var timeout = new CancellationTokenSource(options.ReconfigureTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        var update = new ReplicaSettingsUpdate { Spec = change.Deployment.Spec, Rank = change.Rank, WorldSize = change.WorldSize };
        try
        {
            await runtime.ReconfigureAsync(
                new(change.Replica.ToString()), change.Deployment.Spec.MaxOngoingRequests,
                JsonSerializer.SerializeToUtf8Bytes(update, ServeJson.Options), either.Token);
            await report(new ControlObservation.ReplicaReconfigured(change.Replica, change.Generation));
        }
        catch (Exception error)
        {
            Log.ReconfigureFailed(logger, change.Replica, error);
            await report(new ControlObservation.ReplicaReconfigureFailed(change.Replica, change.Generation,
                error is OperationCanceledException ? $"took longer than {options.ReconfigureTimeout.TotalSeconds:0.#} s to take its settings" : error.Message));
        }
    }

    private async Task CheckHealthAsync(ControlAction.CheckReplicaHealth check)
    {
        using var timeout = new CancellationTokenSource(check.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        var began = Stopwatch.GetTimestamp();
        string? error = null;
        try
        {
            await runtime.CheckHealthAsync(new(check.Replica.ToString()), either.Token);
        }
        catch (Exception thrown)
        {
            error = thrown is OperationCanceledException ? $"no answer within {check.Timeout.TotalSeconds:0.###} s" : thrown.Message;
            Log.HealthCheckFailed(logger, check.Replica, error);
        }

        metrics.HealthChecked(check.Replica.Deployment, Stopwatch.GetElapsedTime(began), error is null);
        await report(new ControlObservation.ReplicaHealthChecked(check.Replica, check.Generation, error));
    }

    private async Task PublishAsync(ControlAction.PublishRouteSnapshot publish)
    {
        using var timeout = new CancellationTokenSource(options.PublishTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stopping.Token);
        var version = publish.Snapshot.Version;
        try
        {
            await runtime.PublishAsync(RouteSnapshot.Topic, version, JsonSerializer.SerializeToUtf8Bytes(publish.Snapshot, ServeJson.Options), either.Token);
            await report(new ControlObservation.RoutesAcknowledged(version));
        }
        catch (Exception error)
        {
            Log.PublishFailed(logger, version, error);
            await report(new ControlObservation.RoutesNotAcknowledged(version, error.Message));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Replica {Replica} starts: {Reason}")]
        public static partial void Starting(ILogger logger, ReplicaId replica, string reason);

        [LoggerMessage(2, LogLevel.Warning, "Replica {Replica} did not start: {Error}")]
        public static partial void StartFailed(ILogger logger, ReplicaId replica, string error);

        [LoggerMessage(3, LogLevel.Information, "Replica {Replica} stops: {Reason}")]
        public static partial void Stopping(ILogger logger, ReplicaId replica, string reason);

        [LoggerMessage(4, LogLevel.Error, "Replica {Replica} could not be stopped and will be tried again")]
        public static partial void StopFailed(ILogger logger, ReplicaId replica, Exception error);

        [LoggerMessage(5, LogLevel.Debug, "Replica {Replica} is told its settings: {Reason}")]
        public static partial void Reconfiguring(ILogger logger, ReplicaId replica, string reason);

        [LoggerMessage(6, LogLevel.Warning, "Replica {Replica} did not take its settings")]
        public static partial void ReconfigureFailed(ILogger logger, ReplicaId replica, Exception error);

        [LoggerMessage(7, LogLevel.Warning, "Replica {Replica} failed a health check: {Error}")]
        public static partial void HealthCheckFailed(ILogger logger, ReplicaId replica, string error);

        [LoggerMessage(8, LogLevel.Warning, "Routes {Version} were not acknowledged by all and will be published again")]
        public static partial void PublishFailed(ILogger logger, SnapshotVersion version, Exception error);

        [LoggerMessage(9, LogLevel.Error, "Action {Action} {Generation} broke without an outcome")]
        public static partial void ActionBroke(ILogger logger, string action, long generation, Exception error);
    }
}
