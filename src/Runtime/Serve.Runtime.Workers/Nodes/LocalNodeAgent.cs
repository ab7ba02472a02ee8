using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Routes;
using Serve.Runtime.Clusters;
using Serve.Runtime.Nodes;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Topics;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>The agent of the node in this process: creates its actors and leases its workers, without serializing anything. The state of the actors is in <see cref="NodeActorRegister"/>.</summary>
internal sealed class LocalNodeAgent : INodeAgent
{
    private readonly ActorReferenceResolver _references;
    private readonly TopicPublicationStore _board;
    private readonly WorkerProcessPool _pool;
    private readonly NodeCallServer _server;
    private readonly InProcessActorHost _inProcess;
    private readonly DriverCluster _cluster;
    private readonly ResourceLedger _ledger;
    private readonly ActorReportAggregator _hub;
    private readonly INodePackageSource? _packages;
    private readonly NodeActorRegister _register = new();
    private readonly NodeEventLog _events = new();
    private readonly ConcurrentDictionary<PooledWorkerLease, bool> _leases = new();
    private volatile NodePhase _phase;
    private int _disposed;

    public LocalNodeAgent(NodeRuntimeOptions options, ProcessActorHost host, ActorReferenceResolver references, TopicPublicationStore board, WorkerProcessPool pool, NodeCallServer server,
        ResourceLedger ledger, DriverCluster cluster, ActorReportRegistry reports, TimeProvider time, ILogger<LocalNodeAgent> logger, INodePackageSource? packages = null)
    {
        Id = new(options.NodeId);
        _references = references;
        _board = board;
        _pool = pool;
        _server = server;
        _inProcess = new(host);
        _ledger = ledger;
        _cluster = cluster;
        _packages = packages;
        _hub = new ActorReportAggregator(reports, PublishAsync, time, logger);
        pool.TellDeaths(OnWorkerDied);
        pool.TellReached(worker => _ = WatchReportsAsync(worker));
    }

    public NodeId Id { get; }

    public NodePhase Phase => _phase;

    public string ProcessId => _references.ProcessId;

    public ResourceLedgerSnapshot Resources => _ledger.Snapshot;

    public IReadOnlyList<WorkerStatus> Workers =>
        [.. _pool.Running.Select(worker => new WorkerStatus(worker.Id, worker.Process!.Pid, worker.Label, _register.At(worker), worker.LogFile))];

    /// <summary>Grants the node's own ledger: tasks and replicas draw on the same resources, and a task causes no request.</summary>
    public Task<IResourceGrant> GrantAsync(ResourceDemand demand, CancellationToken cancellationToken)
    {
        ThrowIfNotReady();
        return Task.FromResult<IResourceGrant>(new LocalResourceGrant(Id, _ledger));
    }

    public async Task<IWorkerLease> LeaseWorkerAsync(WorkerPlacement placement, CancellationToken cancellationToken)
    {
        ThrowIfNotReady();
        var lease = new PooledWorkerLease(await _pool.LeaseAsync(placement, cancellationToken), lease => _leases.TryRemove(lease, out _));
        _leases[lease] = true;
        return lease;
    }

    public async Task<HostProcessAddress> CreateActorAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        ThrowIfNotReady();
        var record = _register.Begin(spec);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, record.Creation.Token);
        try
        {
            _register.Allocated(record, _ledger.Reserve(spec.Resources));
            _register.Housed(record, await FindHomeAsync(spec, linked.Token));
            var reference = await record.Home!.CreateAsync(spec, [.. record.Allocation!.GpuIds], linked.Token);
            if (_register.TryLive(record))
                return reference.Process;
            if (record.IsGivenUp)
                throw new OperationCanceledException($"Actor {spec.Id} was stopped before it had been created.");
            throw new ActorCreationException(spec.Id, $"The worker of actor {spec.Id} exited: {record.Home.EndedBecause}");
        }
        catch
        {
            await EndAsync(record, TimeSpan.Zero, CancellationToken.None);
            throw;
        }
    }

    public async Task StopActorAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        if (_register.Find(id) is not { } record)
            return;
        if (_register.Stop(record))
        {
            await EndAsync(record, drainTimeout, cancellationToken);
            return;
        }

        // Another caller ends it; this may cut the drain of that one short.
        if (record.Home is { } home)
            await home.StopAsync(id, drainTimeout, cancellationToken);
        await record.Gone.Task;
    }

    public Task ReconfigureActorAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        Require(id).ReconfigureAsync(id, maxOngoing, payload, cancellationToken);

    public Task CheckActorAsync(ActorId id, CancellationToken cancellationToken) => Require(id).CheckHealthAsync(id, cancellationToken);

    public Task FetchPackageAsync(string hash, CancellationToken cancellationToken) =>
        _packages?.FetchAsync(hash, cancellationToken) ?? throw new InvalidOperationException($"Node '{Id}' has no package source.");

    /// <summary>Completes at once: the driver's objects are stored on this node.</summary>
    public Task PullObjectAsync(ObjectId id, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task PublishAsync(string topic, SnapshotVersion version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        PublishAsync(new TopicPublication(topic, version.Number, payload), cancellationToken);

    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        if (_phase == NodePhase.Ready)
            _phase = NodePhase.Draining;
        await Task.WhenAll([.. _register.All.Select(static record => record.Gone.Task), .. _leases.Keys.Select(static lease => lease.Returned)]).WaitAsync(cancellationToken);
    }

    public IAsyncEnumerable<NodeEvent> WatchAsync(long afterVersion, CancellationToken cancellationToken) => _events.WatchAsync(afterVersion, cancellationToken);

    private async Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        // The board first: a worker that starts meanwhile reads it there.
        var here = _board.PublishAsync(publication, cancellationToken);
        await Task.WhenAll(here, _pool.PublishAsync(publication, cancellationToken));
    }

    public async Task<IReadOnlyList<string>> CollectMetricsAsync(CancellationToken cancellationToken) =>
        [.. (await Task.WhenAll(_pool.Running.Select(worker => worker.CollectMetricsAsync(cancellationToken)))).OfType<string>()];

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _phase = NodePhase.Gone;
        await Task.WhenAll(_register.Close().Select(record => StopActorAsync(record.Spec.Id, TimeSpan.Zero, CancellationToken.None)));
        await _hub.DisposeAsync();
        await _cluster.DisposeAsync();
        await _pool.DisposeAsync();
        await _server.DisposeAsync();
        _events.Close();
    }

    private async Task<IActorHostProcess> FindHomeAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Placement == WorkerPlacement.InProcess)
            return _inProcess;
        try
        {
            var worker = await _pool.LeaseAsync(spec.Placement, cancellationToken);
            // Code of the actor, such as a replica, may use the node's cluster. A worker that cannot be connected is about to exit, which its process shows.
            _ = ((ClusterWorkerProcesses)_cluster.Workers).SessionOfAsync(worker, CancellationToken.None);
            return worker;
        }
        catch (WorkerStartException failed)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ActorCreationException(spec.Id, $"No worker could be started for actor {spec.Id}. {failed.Message}", null, failed);
        }
    }

    private async Task WatchReportsAsync(PooledWorker worker)
    {
        await worker.WatchReportsAsync(reports => _hub.UpdateSource(worker.Id, reports));
        _hub.RemoveSource(worker.Id);
    }

    private void OnWorkerDied(PooledWorker worker, string reason)
    {
        foreach (var dead in _register.TakeDead(worker))
        {
            _ledger.Release(dead.Allocation!);
            dead.Gone.TrySetResult();
            _events.Add(version => new NodeEvent.ActorDied(version, dead.Spec.Id, reason));
        }

        _events.Add(version => new NodeEvent.WorkerDied(version, worker.Id, worker.Process!.Pid, reason));
    }

    private async Task EndAsync(NodeActorRecord record, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        try
        {
            if (record.Home is { } home)
            {
                await home.StopAsync(record.Spec.Id, drainTimeout, cancellationToken);
                await home.ReleaseAsync();
            }
        }
        finally
        {
            if (record.Allocation is { } allocation)
                _ledger.Release(allocation);
            _register.Forget(record);
        }
    }

    private void ThrowIfNotReady()
    {
        ObjectDisposedException.ThrowIf(_phase == NodePhase.Gone, this);
        if (_phase == NodePhase.Draining)
            throw new InsufficientResourcesException($"Node '{Id}' is draining and accepts no new work.", isPermanent: false);
    }

    private IActorHostProcess Require(ActorId id) =>
        _register.Find(id) is { Phase: NodeActorPhase.Live or NodeActorPhase.Stopping, Home: { } home } ? home : throw new CallRefusedException(id.Value, gone: true);
}

/// <summary>The resources of a node in this process: the node's own ledger, which returns nothing when the grant is disposed.</summary>
internal sealed class LocalResourceGrant(NodeId node, ResourceLedger ledger) : IResourceGrant
{
    public NodeId Node => node;

    public ResourceDemand Amount => ledger.Total;

    public ResourceLedger Ledger => ledger;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>A lease of a worker of this process's pool.</summary>
internal sealed class PooledWorkerLease(PooledWorker worker, Action<PooledWorkerLease> onReturned) : IWorkerLease
{
    private readonly TaskCompletionSource _returned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isReturned;

    public PooledWorker Worker => worker;

    public string WorkerId => worker.Id;

    public int ProcessId => worker.Process!.Pid;

    public Task<string> Exited => worker.Ended.Task;

    /// <summary>Completes when the lease has been returned.</summary>
    public Task Returned => _returned.Task;

    public Task<Stream> ConnectAsync(CancellationToken cancellationToken) => worker.OpenStreamAsync(cancellationToken);

    public void Kill(string reason) => worker.Process!.Kill(reason);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isReturned, 1) != 0)
            return;
        await worker.ReleaseAsync();
        onReturned(this);
        _returned.SetResult();
    }
}
