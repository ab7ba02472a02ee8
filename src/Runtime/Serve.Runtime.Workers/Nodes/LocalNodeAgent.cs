using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Routes;
using Serve.Runtime.Clusters;
using Serve.Runtime.Nodes;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Topics;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>The node's actors: what each needs is found, begun, and undone here, step by step. What is known of them is in <see cref="NodeActorRegister"/>.</summary>
internal sealed class LocalNodeAgent : INodeAgent
{
    private readonly ActorReferenceResolver _directory;
    private readonly TopicPublicationStore _board;
    private readonly WorkerProcessPool _pool;
    private readonly NodeCallListener _server;
    private readonly InProcessActorHost _inProcess;
    private readonly DriverCluster _cluster;
    private readonly ResourceLedger _ledger;
    private readonly ActorReportAggregator _hub;
    private readonly NodeActorRegister _register = new();

    // Unbounded, since events must not be dropped: there are never more than actors and workers that lived.
    private readonly Channel<NodeEvent> _events = Channel.CreateUnbounded<NodeEvent>(new() { SingleReader = true });
    private int _disposed;

    public LocalNodeAgent(ProcessActorHost host, ActorReferenceResolver directory, TopicPublicationStore board, WorkerProcessPool pool, NodeCallListener server, ResourceLedger ledger, DriverCluster cluster,
        ActorReportRegistry reports, TimeProvider time, ILogger<LocalNodeAgent> logger)
    {
        this._directory = directory;
        this._board = board;
        this._pool = pool;
        this._server = server;
        _inProcess = new(host);
        this._ledger = ledger;
        this._cluster = cluster;
        _hub = new ActorReportAggregator(reports, directory.ProcessId, PublishAsync, time, logger);
        pool.TellDeaths(OnWorkerDied);
        pool.TellReached(worker => _ = WatchReportsAsync(worker));
    }

    public string ProcessId => _directory.ProcessId;

    public ChannelReader<NodeEvent> Events => _events.Reader;

    public ResourceLedgerSnapshot Resources => _ledger.Snapshot;

    public IReadOnlyList<WorkerStatus> Workers =>
        [.. _pool.Running.Select(worker => new WorkerStatus(worker.Id, worker.Process!.Pid, worker.Label, _register.At(worker), worker.LogFile))];

    public ActorReference Resolve(ActorId id, HostProcessAddress process) => _directory.Resolve(id, process);

    public async Task<ActorReference> CreateAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        var record = _register.Begin(spec);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, record.Creation.Token);
        try
        {
            _register.Allocated(record, _ledger.Reserve(spec.Resources));
            _register.Housed(record, await FindHomeAsync(spec, linked.Token));
            var handle = await record.Home!.CreateAsync(spec, [.. record.Allocation!.GpuIds], linked.Token);
            if (_register.TryLive(record))
                return handle;
            if (record.IsGivenUp)
                throw new OperationCanceledException($"Actor {spec.Id} was stopped before it was there.");
            throw new ActorCreationException(spec.Id, $"The worker of actor {spec.Id} ended: {record.Home.EndedBecause}");
        }
        catch
        {
            await EndAsync(record, TimeSpan.Zero, CancellationToken.None);
            throw;
        }
    }

    public async Task StopAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        if (_register.Find(id) is not { } record)
            return;
        if (_register.Stop(record))
        {
            await EndAsync(record, drainTimeout, cancellationToken);
            return;
        }

        // Someone else ends it; this may cut that one's drain short.
        if (record.Home is { } home)
            await home.StopAsync(id, drainTimeout, cancellationToken);
        await record.Gone.Task;
    }

    public Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        Require(id).ReconfigureAsync(id, maxOngoing, payload, cancellationToken);

    public Task CheckHealthAsync(ActorId id, CancellationToken cancellationToken) => Require(id).CheckHealthAsync(id, cancellationToken);

    public Task PublishAsync(string topic, SnapshotVersion version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        PublishAsync(new TopicPublication(topic, "", version, payload), cancellationToken);

    private async Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        // The board first: a worker that starts meanwhile reads it there.
        var here = _board.PublishAsync(publication, cancellationToken);
        await Task.WhenAll(here, _pool.PublishAsync(publication, cancellationToken));
    }

    public async Task<IReadOnlyList<string>> CollectWorkerMetricsAsync(CancellationToken cancellationToken) =>
        [.. (await Task.WhenAll(_pool.Running.Select(worker => worker.CollectMetricsAsync(cancellationToken)))).OfType<string>()];

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await Task.WhenAll(_register.Close().Select(record => StopAsync(record.Spec.Id, TimeSpan.Zero, CancellationToken.None)));
        await _hub.DisposeAsync();
        await _cluster.DisposeAsync();
        await _pool.DisposeAsync();
        _server.Dispose();
        _events.Writer.TryComplete();
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
            _events.Writer.TryWrite(new NodeEvent.ActorDied(dead.Spec.Id, reason));
        }

        _events.Writer.TryWrite(new NodeEvent.WorkerDied(worker.Id, worker.Process!.Pid, reason));
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

    private IActorHostProcess Require(ActorId id) =>
        _register.Find(id) is { Phase: NodeActorPhase.Live or NodeActorPhase.Stopping, Home: { } home } ? home : throw new CallRefusedException(id.Value, gone: true);
}
