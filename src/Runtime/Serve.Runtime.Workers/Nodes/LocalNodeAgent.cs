using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Actors;
using Serve.Runtime.Scheduling;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Topics;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>The agent of the node in this process: creates its actors and leases its workers, without serializing anything.</summary>
internal sealed class LocalNodeAgent : INodeAgent
{
    private readonly ActorReferenceResolver _references;
    private readonly TopicPublicationStore _board;
    private readonly WorkerProcessPool _pool;
    private readonly NodeCallListener _server;
    private readonly ProcessActorHost _host;
    private readonly DriverCluster _cluster;
    private readonly ResourceLedger _ledger;
    private readonly ActorReportAggregator _hub;
    private readonly INodePackageSource? _packages;
    private readonly ActorDirectory _actors;
    private readonly NodeEventLog _events = new();
    private readonly NodeLeaseRegister _leases;
    private readonly NodeStandbyKeeper _standby;
    private volatile NodePhase _phase = NodePhase.Ready;
    private int _disposed;

    public LocalNodeAgent(NodeRuntimeOptions options, ActorDirectory actors, ProcessActorHost host, ActorReferenceResolver references, TopicPublicationStore board, WorkerProcessPool pool, NodeCallListener server,
        ResourceLedger ledger, DriverCluster cluster, ActorReportRegistry reports, TimeProvider time, ILogger<LocalNodeAgent> logger, INodePackageSource? packages = null)
    {
        Id = new(options.NodeId);
        _references = references;
        _board = board;
        _pool = pool;
        _server = server;
        _host = host;
        _actors = actors;
        _ledger = ledger;
        _cluster = cluster;
        _packages = packages;
        _standby = new(pool, packages, time);
        _leases = new(options.LeaseLifetime, time, logger);
        _hub = new ActorReportAggregator(reports, references.ProcessId, PublishReportsAsync, time, logger);
        pool.TellDeaths((worker, reason) => _ = OnWorkerDiedAsync(worker, reason));
        pool.TellReached(worker => _ = WatchReportsAsync(worker));
    }

    public NodeId Id { get; }

    public NodePhase Phase => _phase;

    public string ProcessId => _references.ProcessId;

    public ResourceLedgerSnapshot Resources => _ledger.Snapshot;

    public IReadOnlyList<WorkerStatus> Workers =>
        [.. _pool.Running.Select(worker => new WorkerStatus(worker.Id, worker.Process!.Pid, worker.Label, [.. ActorsOn(worker).Select(static actor => actor.Id)], worker.LogFile))];

    public TimeSpan LeaseLifetime => _leases.Lifetime;

    public async Task<IResourceGrant> GrantAsync(LeaseOwner owner, ResourceDemand demand, CancellationToken cancellationToken)
    {
        ThrowIfNotReady();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _leases.Closed);
        var (ledger, allocation) = await LedgerReservation.ReserveAsync(
            () =>
            {
                ThrowIfNotReady();
                return [_ledger];
            },
            demand, static _ => { }, either.Token);
        var grant = new LocalResourceGrant(Id, ledger, allocation);
        await _leases.AddAsync(owner, grant);
        return grant;
    }

    public async Task<IWorkerLease> LeaseWorkerAsync(LeaseOwner owner, WorkerPlacement placement, CancellationToken cancellationToken)
    {
        ThrowIfNotReady();
        var lease = new PooledWorkerLease(await _pool.LeaseAsync(placement, cancellationToken));
        await _leases.AddAsync(owner, lease);
        return lease;
    }

    public Task<bool> RenewAsync(LeaseOwner owner, CancellationToken cancellationToken) => Task.FromResult(_leases.Renew(owner));

    public async Task<HostProcessAddress> CreateActorAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        ThrowIfNotReady();
        var actor = new ActorRecord(
            new()
            {
                Id = spec.Id,
                ClassName = spec.Kind,
                Restart = RestartPolicy.Never,
                Admission = AdmissionPolicy.Refuse,
                Owner = ActorOwner.Controller,
                Demand = spec.Resources,
                Launcher = new NodeActorLauncher(spec, _ledger, _host, LeaseForActorAsync, OnActorLost),
            },
            _actors);
        _actors.TryAdd(actor);
        var cancellation = cancellationToken.UnsafeRegister(
            static actor => ((ActorRecord)actor!).TryDie("its creation was canceled", null, TimeSpan.Zero, failure: new OperationCanceledException($"The creation of actor {actor} was canceled.")), actor);
        try
        {
            await actor.Created;
        }
        catch
        {
            await actor.Ended;
            throw;
        }
        finally
        {
            await cancellation.DisposeAsync();
        }

        // Null if the creation was canceled at the last moment, or the actor has died since.
        if (actor.Incarnation?.Address is { } address)
            return address;
        await actor.Ended;
        cancellationToken.ThrowIfCancellationRequested();
        throw new ActorCreationException(spec.Id, actor.DeathException().Message);
    }

    public Task StopActorAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken) => _actors.StopAsync(id, drainTimeout, cancellationToken);

    public async Task ReconfigureActorAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        await Require(id).ReconfigureAsync(maxOngoing, payload, cancellationToken);
        if (_actors.Find(id)?.Definition.Launcher is NodeActorLauncher launcher)
            launcher.Settings = payload;
    }

    public Task<IReadOnlyList<string>> GetActorNoticesAsync(ActorId id, CancellationToken cancellationToken) => Require(id).GetNoticesAsync(cancellationToken);

    public Task CheckActorAsync(ActorId id, TimeSpan timeout, CancellationToken cancellationToken) => Require(id).CheckHealthAsync(timeout, cancellationToken);

    public Task<IReadOnlyList<HostedActorEntry>> ListActorsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<HostedActorEntry>>(
    [
        .. Hosted.Select(static actor => actor.Incarnation?.Address is { } address && actor.Definition.Launcher is NodeActorLauncher launcher
            ? new HostedActorEntry(launcher.Spec, address, launcher.Settings)
            : null).OfType<HostedActorEntry>(),
    ]);

    public Task FetchPackageAsync(string hash, CancellationToken cancellationToken) =>
        _packages?.FetchAsync(hash, cancellationToken) ?? throw new InvalidOperationException($"Node '{Id}' has no package source.");

    public void KeepReady(NodeStandby standby) => _standby.Keep(standby);

    /// <summary>Completes at once: the driver's objects are stored on this node.</summary>
    public Task PullObjectAsync(ObjectId id, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task PublishAsync(string topic, SnapshotVersion version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        PublishAsync(new TopicPublication(topic, "", version, payload), cancellationToken);

    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        if (_phase == NodePhase.Ready)
            _phase = NodePhase.Draining;
        await Task.WhenAll([.. Hosted.Select(static actor => actor.Ended), .. _leases.All.Select(static lease => lease.Returned)]).WaitAsync(cancellationToken);
    }

    public IAsyncEnumerable<NodeEvent> WatchAsync(long afterVersion, CancellationToken cancellationToken) => _events.WatchAsync(afterVersion, cancellationToken);

    private async Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        // The store first: a worker that starts concurrently reads the publication there.
        var here = _board.PublishAsync(publication, cancellationToken);
        await Task.WhenAll(here, _pool.PublishAsync(publication, cancellationToken));
    }

    // The node's own process, which counts loads and wakes deployments, does not wait for a worker that is exiting.
    private async Task PublishReportsAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        var here = _board.PublishAsync(publication, cancellationToken);
        _pool.Offer(publication);
        await here;
    }

    public async Task<IReadOnlyList<string>> CollectMetricsAsync(CancellationToken cancellationToken) =>
        [.. (await Task.WhenAll(_pool.Running.Select(worker => worker.CollectMetricsAsync(cancellationToken)))).OfType<string>()];

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _phase = NodePhase.Gone;
        await _actors.CloseAsync(static actor => actor.Definition.Owner == ActorOwner.Controller, "its node stopped", Timeout.InfiniteTimeSpan);
        await _standby.DisposeAsync();
        await _leases.DisposeAsync();
        await _hub.DisposeAsync();
        await _cluster.DisposeAsync();
        await _pool.DisposeAsync();
        _server.Dispose();
        _events.Close();
    }

    private IEnumerable<ActorRecord> Hosted => _actors.Records.Where(static actor => actor.Definition.Owner == ActorOwner.Controller);

    private IEnumerable<ActorRecord> ActorsOn(PooledWorker worker) => Hosted.Where(actor => actor.LastIncarnation?.WorkerId == worker.Id);

    private async Task<PooledWorker> LeaseForActorAsync(WorkerPlacement placement, CancellationToken cancellationToken)
    {
        var worker = await _pool.LeaseAsync(placement, cancellationToken);
        // Code of the actor, such as a replica, may use the cluster of the node. A worker that cannot be connected is about to exit, which is handled elsewhere.
        _ = ((ClusterWorkerProcesses)_cluster.Workers).SessionOfAsync(worker, CancellationToken.None);
        return worker;
    }

    private async Task WatchReportsAsync(PooledWorker worker)
    {
        await worker.WatchReportsAsync(reports => _hub.UpdateSource(worker.Id, reports));
        _hub.RemoveSource(worker.Id);
    }

    private void OnActorLost(ActorId id, string reason) => _events.Add(version => new NodeEvent.ActorDied(version, id, reason));

    private async Task OnWorkerDiedAsync(PooledWorker worker, string reason)
    {
        var lost = ActorsOn(worker).ToArray();
        foreach (var actor in lost)
        {
            if (actor.Incarnation is { } incarnation)
                actor.OnLost(incarnation, reason);
        }

        // Reported after its actors, whose resources have been released by then.
        await Task.WhenAll(lost.Select(static actor => actor.Ended));
        _events.Add(version => new NodeEvent.WorkerDied(version, worker.Id, worker.Process!.Pid, reason));
    }

    private void ThrowIfNotReady()
    {
        ObjectDisposedException.ThrowIf(_phase == NodePhase.Gone, this);
        if (_phase == NodePhase.Draining)
            throw new InsufficientResourcesException($"Node '{Id}' is draining and accepts no new work.", isPermanent: false);
    }

    private ActorIncarnation Require(ActorId id) =>
        _actors.Find(id)?.LastIncarnation ?? throw new CallRefusedException(id.Value, gone: true);
}
