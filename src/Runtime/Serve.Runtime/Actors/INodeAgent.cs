using System.Threading.Channels;

namespace Serve.Runtime;

/// <summary>
/// The node's actors: creates them where they belong, finds them resources, watches their processes and cleans up after them. The one
/// writer of the node's ledger and of its set of workers.
/// </summary>
public interface INodeAgent : IActorReferenceResolver, IAsyncDisposable
{
    /// <summary>What happened to actors and workers without being asked for; in order, never dropped. One reader.</summary>
    ChannelReader<NodeEvent> Events { get; }

    /// <summary>What the node has and what of it is reserved.</summary>
    ResourceLedgerSnapshot Resources { get; }

    /// <summary>The workers that run now.</summary>
    IReadOnlyList<WorkerStatus> Workers { get; }

    /// <summary>Reserves resources, starts a worker if one is needed, and creates the actor.</summary>
    /// <param name="spec">The actor.</param>
    /// <param name="cancellationToken">Gives the creation up: what was begun is undone.</param>
    /// <returns>A reference to it once its activator has succeeded.</returns>
    /// <exception cref="ActorCreationException">The activator threw (the user's exception is described), or the worker could not be started or died.</exception>
    /// <exception cref="InsufficientResourcesException">The ledger has not enough free at the moment, or can never have.</exception>
    Task<ActorReference> CreateAsync(ActorSpec spec, CancellationToken cancellationToken);

    /// <summary>Closes the actor's gate, waits for what is ongoing up to the timeout, disposes it, frees its resources, and ends its worker when that was the last actor on it. Idempotent.</summary>
    /// <param name="id">The actor.</param>
    /// <param name="drainTimeout">How long ongoing calls may take before they are cancelled.</param>
    /// <param name="cancellationToken">Cuts the drain short; the actor is ended all the same.</param>
    /// <returns>Completes when nothing of the actor is left.</returns>
    Task StopAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken);

    /// <summary>Hands an actor new settings.</summary>
    /// <param name="id">The actor.</param>
    /// <param name="maxOngoing">Its gate's limit from now on.</param>
    /// <param name="payload">For <see cref="ActorInstance.ReconfigureAsync"/>.</param>
    /// <param name="cancellationToken">Fires when it is given up.</param>
    /// <returns>Completes when they are in force; throws what the actor threw as <see cref="UserCodeException"/>.</returns>
    Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

    /// <summary>Asks an actor whether it is well: throws when it says no, does not answer before the token fires, or is gone.</summary>
    /// <param name="id">The actor.</param>
    /// <param name="cancellationToken">The check's own timeout.</param>
    /// <returns>Completes when it is well.</returns>
    Task CheckHealthAsync(ActorId id, CancellationToken cancellationToken);

    /// <summary>Sends a topic's newest value to this process's subscribers and every worker, and waits until all have it in force. A worker that dies meanwhile does not count.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="version">Grows with every publication of the topic.</param>
    /// <param name="payload">Opaque to the runtime.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>Completes when all have acknowledged.</returns>
    Task PublishAsync(string topic, SnapshotVersion version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

    /// <summary>The workers' metrics in Prometheus' text format, one text per worker that answered in time.</summary>
    /// <param name="cancellationToken">How long to wait.</param>
    /// <returns>The texts.</returns>
    Task<IReadOnlyList<string>> CollectWorkerMetricsAsync(CancellationToken cancellationToken);
}
