using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Routes;
using Serve.Runtime.Clusters;
using Serve.Runtime.Topics;
using Serve.Runtime.Workers;

namespace Serve.Runtime.Nodes;

/// <summary>The node's actors: what each needs is found, begun, and undone here, step by step. What is known of them is in <see cref="ActorRegister"/>.</summary>
internal sealed class NodeRuntime : IActorRuntime
{
    private readonly ActorDirectory directory;
    private readonly TopicBoard board;
    private readonly WorkerPool pool;
    private readonly NodeCallServer server;
    private readonly InProcessHome inProcess;
    private readonly HeadCluster cluster;
    private readonly ResourceLedger ledger;
    private readonly ReportHub hub;
    private readonly ActorRegister register = new();

    // Unbounded, since events must not be dropped: there are never more than actors and workers that lived.
    private readonly Channel<ActorEvent> events = Channel.CreateUnbounded<ActorEvent>(new() { SingleReader = true });
    private int disposed;

    public NodeRuntime(ActorHost host, ActorDirectory directory, TopicBoard board, WorkerPool pool, NodeCallServer server, ResourceLedger ledger, HeadCluster cluster,
        ActorReports reports, TimeProvider time, ILogger<NodeRuntime> logger)
    {
        this.directory = directory;
        this.board = board;
        this.pool = pool;
        this.server = server;
        inProcess = new(host);
        this.ledger = ledger;
        this.cluster = cluster;
        hub = new ReportHub(reports, PublishAsync, time, logger);
        pool.TellDeaths(OnWorkerDied);
        pool.TellReached(worker => _ = WatchReportsAsync(worker));
    }

    public string ProcessId => directory.ProcessId;

    public ChannelReader<ActorEvent> Events => events.Reader;

    public ResourceLedgerSnapshot Resources => ledger.Snapshot;

    public IReadOnlyList<WorkerStatus> Workers =>
        [.. pool.Running.Select(worker => new WorkerStatus(worker.Id, worker.Process!.Pid, worker.Label, register.At(worker), worker.LogFile))];

    public ActorHandle Resolve(ActorId id, ProcessRoute process) => directory.Resolve(id, process);

    public async Task<ActorHandle> CreateAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        var record = register.Begin(spec);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, record.Creation.Token);
        try
        {
            register.Allocated(record, ledger.Reserve(spec.Resources));
            register.Housed(record, await FindHomeAsync(spec, linked.Token));
            var handle = await record.Home!.CreateAsync(spec, [.. record.Allocation!.GpuIds], linked.Token);
            if (register.TryLive(record))
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
        if (register.Find(id) is not { } record)
            return;
        if (register.Stop(record))
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

    public Task PublishAsync(string topic, long version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        PublishAsync(new Publication(topic, version, payload), cancellationToken);

    private async Task PublishAsync(Publication publication, CancellationToken cancellationToken)
    {
        // The board first: a worker that starts meanwhile reads it there.
        var here = board.PublishAsync(publication, cancellationToken);
        await Task.WhenAll(here, pool.PublishAsync(publication, cancellationToken));
    }

    public async Task<IReadOnlyList<string>> CollectWorkerMetricsAsync(CancellationToken cancellationToken) =>
        [.. (await Task.WhenAll(pool.Running.Select(worker => worker.CollectMetricsAsync(cancellationToken)))).OfType<string>()];

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        await Task.WhenAll(register.Close().Select(record => StopAsync(record.Spec.Id, TimeSpan.Zero, CancellationToken.None)));
        await hub.DisposeAsync();
        await cluster.DisposeAsync();
        await pool.DisposeAsync();
        await server.DisposeAsync();
        events.Writer.TryComplete();
    }

    private async Task<IActorHome> FindHomeAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Placement == WorkerPlacement.InProcess)
            return inProcess;
        try
        {
            var worker = await pool.LeaseAsync(spec.Placement, cancellationToken);
            cluster.Attach(worker);
            return worker;
        }
        catch (WorkerStartException failed)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ActorCreationException(spec.Id, $"No worker could be started for actor {spec.Id}. {failed.Message}", null, failed);
        }
    }

    private async Task WatchReportsAsync(Worker worker)
    {
        await worker.WatchReportsAsync(reports => hub.Take(worker.Id, reports));
        hub.Forget(worker.Id);
    }

    private void OnWorkerDied(Worker worker, string reason)
    {
        foreach (var dead in register.TakeDead(worker))
        {
            ledger.Release(dead.Allocation!);
            dead.Gone.TrySetResult();
            events.Writer.TryWrite(new ActorEvent.ActorDied(dead.Spec.Id, reason));
        }

        events.Writer.TryWrite(new ActorEvent.WorkerDied(worker.Id, worker.Process!.Pid, reason));
    }

    private async Task EndAsync(ActorRecord record, TimeSpan drainTimeout, CancellationToken cancellationToken)
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
                ledger.Release(allocation);
            register.Forget(record);
        }
    }

    private IActorHome Require(ActorId id) =>
        register.Find(id) is { Phase: RecordPhase.Live or RecordPhase.Stopping, Home: { } home } ? home : throw new CallRefusedException(id.Value, gone: true);
}
