using System.Collections.Immutable;

namespace Serve.Runtime.Nodes;

/// <summary>A process that holds actors, as the node sees it.</summary>
internal interface IActorHostProcess
{
    /// <summary>How it ended; null while it has not.</summary>
    string? EndedBecause { get; }

    Task<ActorReference> CreateAsync(ActorSpec spec, ImmutableArray<int> gpuIds, CancellationToken cancellationToken);

    /// <summary>Ends an actor. Completes, rather than throws, when the process is gone.</summary>
    Task StopAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken);

    Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

    Task CheckHealthAsync(ActorId id, CancellationToken cancellationToken);

    /// <summary>Says that an actor that was to live here, or lived here, is gone. Completes when nothing is left that was there for it.</summary>
    Task ReleaseAsync();
}
