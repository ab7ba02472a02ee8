using System.Collections.Concurrent;
using System.Text;
using Prometheus;
using Serve.Admin;
using Serve.Controller;
using Serve.Dashboard.Sources;
using Serve.Inference.Models;
using Serve.Nodes;
using Serve.Runtime.Devices;

namespace Serve.Cli.Hosting;

/// <summary>State of a node for its dashboard.</summary>
/// <param name="controller">The controller.</param>
/// <param name="options">Options of the node.</param>
/// <param name="nodes">The nodes.</param>
/// <param name="cluster">The node's cluster.</param>
/// <param name="models">The models.</param>
/// <param name="registry">Metrics of this process.</param>
/// <param name="time">Clock.</param>
internal sealed class NodeDashboardSource(
    ServeController controller, ControllerOptions options, INodeDirectory nodes, Cluster cluster, IModelRepository models, CollectorRegistry registry, TimeProvider time) : IDashboardSource, IDisposable
{
    private const int MaxExitReasons = 1000;
    private static readonly TimeSpan MetricsTimeout = TimeSpan.FromMilliseconds(900);
    private readonly ConcurrentDictionary<int, string> _exitReasons = new();
    private readonly CancellationTokenSource _stopping = new();
    private int _isWatching;

    /// <inheritdoc/>
    public IReadOnlyList<NodeDetails> GetNodes() => [.. controller.GetNodes().Nodes.OrderByDescending(node => node.NodeId == options.NodeId.Value)];

    /// <inheritdoc/>
    public ServeInstanceDetails? GetInstance() => controller.GetDetails();

    /// <inheritdoc/>
    public IReadOnlyList<DashboardModel> GetModels() => [.. models.List().Select(model => new DashboardModel(model.Name, model.State.ToString().ToUpperInvariant(), model.Reason, model.Application))];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> GetActorsByWorker() => cluster.ListActors()
        .Where(actor => actor is { WorkerId: not null, State: ActorPhase.Alive }).GroupBy(actor => actor.WorkerId!)
        .ToDictionary(group => group.Key, IReadOnlyList<string> (group) => [.. group.Select(actor => actor.Name is null ? actor.ClassName : $"{actor.ClassName} '{actor.Name}'")]);

    /// <inheritdoc/>
    public IReadOnlyDictionary<int, string> GetExitReasons()
    {
        // Nodes keep the events of the past, so watching can start when the first exit is shown.
        if (Interlocked.Exchange(ref _isWatching, 1) == 0 && nodes.Current.Find(options.NodeId) is { } agent)
            _ = WatchAsync(agent);
        return _exitReasons;
    }

    /// <inheritdoc/>
    public DashboardGpuUsage GetGpuUsage()
    {
        var devices = GpuDevices.Shared.Read();
        return devices.Count == 0 ? DashboardGpuUsage.None : new(
            [.. devices.Select(device => new DashboardGpuDevice(device.Id, device.Name, device.TotalMemory, device.UsedMemory, device.Utilization))],
            [.. GpuDevices.Shared.ReadProcesses().Select(process => new DashboardGpuProcess(process.Pid, process.Memory, process.Utilization))]);
    }

    /// <inheritdoc/>
    public long GetNewestDecision() => controller.Decisions.Newest;

    /// <inheritdoc/>
    public Task SetModelLoadedAsync(string name, bool isLoad, CancellationToken cancellationToken) =>
        isLoad ? models.LoadAsync(name, cancellationToken) : models.UnloadAsync(name, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> CollectMetricsAsync(CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(MetricsTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        IReadOnlyList<string> workers = [];
        try
        {
            if (nodes.Current.Find(options.NodeId) is { } agent)
                workers = await agent.CollectMetricsAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Workers that do not answer in time are missing in this sample.
        }

        using var own = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(own, cancellationToken);
        return [Encoding.UTF8.GetString(own.GetBuffer(), 0, (int)own.Length), .. workers];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task WatchAsync(INodeAgent agent)
    {
        try
        {
            await foreach (var happened in agent.WatchAsync(0, _stopping.Token))
            {
                if (happened is not NodeEvent.WorkerDied died)
                    continue;
                if (_exitReasons.Count >= MaxExitReasons)
                    _exitReasons.Clear();
                _exitReasons[died.ProcessId] = died.Reason;
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The node stops.
        }
    }
}
