using System.Collections.Immutable;

namespace Serve.Runtime.Nodes;

/// <summary>The node's own process as a place for actors. Holds no state.</summary>
internal sealed class InProcessActorHost(ProcessActorHost host) : IActorHostProcess
{
    public string? EndedBecause => null;

    public async Task<ActorReference> CreateAsync(ActorSpec spec, ImmutableArray<int> gpuIds, CancellationToken cancellationToken) =>
        await host.CreateAsync(new(spec, gpuIds), cancellationToken);

    public Task StopAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken) =>
        host.StopAsync(id, drainTimeout, cancellationToken);

    public Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        host.ReconfigureAsync(id, maxOngoing, payload, cancellationToken);

    public Task CheckHealthAsync(ActorId id, CancellationToken cancellationToken) => host.CheckHealthAsync(id, cancellationToken);

    public Task ReleaseAsync() => Task.CompletedTask;
}
