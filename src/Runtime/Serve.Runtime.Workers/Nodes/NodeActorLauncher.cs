using Serve.Runtime.Actors;
using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>Starts an actor of the controller on this node: in the node's process, or in a leased worker.</summary>
/// <param name="spec">The actor.</param>
/// <param name="ledger">The node's resources.</param>
/// <param name="host">The actors of the node's process.</param>
/// <param name="lease">Leases a worker.</param>
/// <param name="onLost">Receives the reason if the actor is lost with its worker.</param>
internal sealed class NodeActorLauncher(
    ActorSpec spec, ResourceLedger ledger, ProcessActorHost host, Func<WorkerPlacement, CancellationToken, Task<PooledWorker>> lease, Action<ActorId, string> onLost) : IActorLauncher
{
    /// <summary>The description of the actor.</summary>
    public ActorSpec Spec => spec;

    /// <summary>The settings that were applied last; empty if there were none.</summary>
    public ReadOnlyMemory<byte> Settings { get; set; }

    public ResourceLedger[] FindLedgers() => [ledger];

    public async Task<ActorIncarnation> StartAsync(ActorRecord actor, ActorResourceHold resources, CancellationToken cancellationToken)
    {
        var gpuIds = resources.Allocation.GpuIds;
        if (spec.Placement == WorkerPlacement.InProcess)
            return new LocalActorIncarnation(host, await host.CreateAsync(spec, gpuIds, cancellationToken));
        var incarnation = new PooledActorIncarnation(await LeaseAsync(cancellationToken), spec.Id);
        try
        {
            await incarnation.CreateAsync(spec, gpuIds, cancellationToken);
            return incarnation;
        }
        catch
        {
            await incarnation.EndAsync(TimeSpan.Zero, kill: false, CancellationToken.None);
            throw;
        }
    }

    public void OnLost(ActorRecord actor, string reason) => onLost(spec.Id, reason);

    private async Task<PooledWorker> LeaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await lease(spec.Placement, cancellationToken);
        }
        catch (WorkerStartException failed)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new ActorCreationException(spec.Id, $"No worker could be started for actor {spec.Id}. {failed.Message}", null, failed) { IsNodeFailure = true };
        }
    }
}

/// <summary>An incarnation in a leased worker of the node, which it may share with other actors.</summary>
internal sealed class PooledActorIncarnation(PooledWorker worker, ActorId id) : ActorIncarnation
{
    private int _isReleased;

    public override string? ExitReason => worker.EndedBecause;

    public override string? WorkerId => worker.Id;

    public override int Pid => worker.Process?.Pid ?? 0;

    public override HostProcessAddress? Address => worker.Address;

    public Task CreateAsync(ActorSpec spec, IReadOnlyList<int> gpuIds, CancellationToken cancellationToken) => worker.CreateAsync(spec, gpuIds, cancellationToken);

    public override async Task EndAsync(TimeSpan drain, bool kill, CancellationToken cancellationToken)
    {
        await worker.StopAsync(id, kill ? TimeSpan.Zero : drain, cancellationToken);
        if (Interlocked.Exchange(ref _isReleased, 1) == 0)
            await worker.ReleaseAsync();
    }

    public override Task ReconfigureAsync(int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        worker.ReconfigureAsync(id, maxOngoing, payload, cancellationToken);

    public override Task<IReadOnlyList<string>> GetNoticesAsync(CancellationToken cancellationToken) => worker.GetNoticesAsync(id, cancellationToken);

    public override Task CheckHealthAsync(TimeSpan timeout, CancellationToken cancellationToken) => worker.CheckHealthAsync(id, timeout, cancellationToken);
}
