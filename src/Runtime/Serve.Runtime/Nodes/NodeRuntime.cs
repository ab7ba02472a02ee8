using System.Threading.Channels;
using Serve.Calls;
using Serve.Routes;
using Serve.Runtime.Topics;

namespace Serve.Runtime.Nodes;

/// <summary>The node's actors: what each needs is found, begun, and undone here, step by step. What is known of them is in <see cref="ActorRegister"/>.</summary>
internal sealed class NodeRuntime(ActorHost host, ActorDirectory directory, TopicBoard board, NodeRuntimeOptions options) : IActorRuntime
{
    private readonly ActorRegister register = new();
    private readonly ResourceLedger ledger = new(options.Resources);
    private readonly InProcessHome inProcess = new(host);

    // Unbounded, since events must not be dropped: there are never more than actors and workers that lived.
    private readonly Channel<ActorEvent> events = Channel.CreateUnbounded<ActorEvent>(new() { SingleReader = true });
    private int disposed;

    public string ProcessId => directory.ProcessId;

    public ChannelReader<ActorEvent> Events => events.Reader;

    public ResourceLedgerSnapshot Resources => ledger.Snapshot;

    public IReadOnlyList<WorkerStatus> Workers => [];

    public ActorHandle Resolve(ActorId id, ProcessRoute process) => directory.Resolve(id, process);

    public async Task<ActorHandle> CreateAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref disposed) != 0, this);
        var record = register.Begin(spec);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, record.Creation.Token);
        try
        {
            register.Allocated(record, ledger.Reserve(spec.Resources));
            register.Housed(record, await FindHomeAsync(spec, linked.Token));
            var handle = await record.Home!.CreateAsync(spec, record.Allocation!.GpuIds, linked.Token);
            if (register.TryLive(record))
                return handle;
            linked.Token.ThrowIfCancellationRequested();
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
        if (register.TryStop(record))
        {
            await EndAsync(record, drainTimeout, cancellationToken);
            return;
        }

        if (record.Phase == ActorPhase.Creating)
            await record.Creation.CancelAsync();
        else if (record.Home is { } home)
            await home.StopAsync(id, drainTimeout, cancellationToken);
        await record.Gone.Task;
    }

    public Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        Require(id).ReconfigureAsync(id, maxOngoing, payload, cancellationToken);

    public Task CheckHealthAsync(ActorId id, CancellationToken cancellationToken) => Require(id).CheckHealthAsync(id, cancellationToken);

    public Task PublishAsync(string topic, long version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        board.PublishAsync(new(topic, version, payload), cancellationToken);

    public Task<IReadOnlyList<string>> CollectWorkerMetricsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        await Task.WhenAll(register.All.Select(record => StopAsync(record.Spec.Id, TimeSpan.Zero, CancellationToken.None)));
        events.Writer.TryComplete();
    }

    private Task<IActorHome> FindHomeAsync(ActorSpec spec, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return spec.Placement == WorkerPlacement.InProcess
            ? Task.FromResult<IActorHome>(inProcess)
            : throw new ActorCreationException(spec.Id, "This node was started without a worker command.");
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
        register.Find(id) is { Phase: ActorPhase.Live or ActorPhase.Stopping, Home: { } home } ? home : throw new CallRefusedException(id.Value, gone: true);
}
