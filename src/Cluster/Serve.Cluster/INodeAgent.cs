namespace Serve.Nodes;

/// <summary>
/// The agent of one node: hosts actors for the controller, gives workers and resources to Core's scheduler, and reports what happens on the node.
/// The controller and the scheduler reach a node through this interface only. Thread-safe.
/// </summary>
public interface INodeAgent : IAsyncDisposable
{
    /// <summary>The node's name; survives restarts of the node.</summary>
    NodeId Id { get; }

    /// <summary>Whether the node accepts actors and leases.</summary>
    NodePhase Phase { get; }

    /// <summary>The node's own process, as in <see cref="HostProcessAddress.ProcessId"/>.</summary>
    string ProcessId { get; }

    /// <summary>Total and reserved resources of the node.</summary>
    ResourceLedgerSnapshot Resources { get; }

    /// <summary>The running worker processes of the node.</summary>
    IReadOnlyList<WorkerStatus> Workers { get; }

    /// <summary>
    /// Grants a share of the node's resources to Core's scheduler, which then assigns them to tasks and actors without asking again. Waits until so much is free.
    /// </summary>
    /// <param name="owner">The driver; the grant ends when it is no longer renewed.</param>
    /// <param name="demand">The amount.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <returns>The grant; dispose it to return the resources.</returns>
    /// <exception cref="InsufficientResourcesException">The node can never have so much, or accepts nothing new.</exception>
    Task<IResourceGrant> GrantAsync(LeaseOwner owner, ResourceDemand demand, CancellationToken cancellationToken);

    /// <summary>Leases a worker process, starting it if necessary.</summary>
    /// <param name="owner">The driver; the worker is killed when the lease is no longer renewed.</param>
    /// <param name="placement">Whether the worker is shared. <see cref="WorkerPlacement.InProcess"/> is not a worker.</param>
    /// <param name="cancellationToken">Cancels the lease; a worker without another lease is stopped.</param>
    /// <returns>The lease of a worker that is ready; dispose it to return the worker, which exits after its last lease.</returns>
    /// <exception cref="WorkerStartException">The worker could not be started.</exception>
    Task<IWorkerLease> LeaseWorkerAsync(LeaseOwner owner, WorkerPlacement placement, CancellationToken cancellationToken);

    /// <summary>Renews all grants and leases of an owner. The agent ends those of an owner that has not renewed them for <see cref="LeaseLifetime"/>.</summary>
    /// <param name="owner">The driver.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Whether the owner holds any; false also if they have expired.</returns>
    Task<bool> RenewAsync(LeaseOwner owner, CancellationToken cancellationToken);

    /// <summary>How long grants and leases last without a renewal.</summary>
    TimeSpan LeaseLifetime { get; }

    /// <summary>Reserves resources, starts a worker if necessary, and creates an actor. Resources that are not free now are refused, not waited for.</summary>
    /// <param name="spec">The actor.</param>
    /// <param name="cancellationToken">Cancels the creation; everything begun is undone before the task completes.</param>
    /// <returns>The process that hosts the actor, once its constructor has succeeded.</returns>
    /// <exception cref="ActorCreationException">The actor's constructor threw, or its worker could not be started or died.</exception>
    /// <exception cref="InsufficientResourcesException">The node has not enough free at the moment, or can never have.</exception>
    Task<HostProcessAddress> CreateActorAsync(ActorSpec spec, CancellationToken cancellationToken);

    /// <summary>
    /// Stops an actor: refuses new calls, waits for ongoing ones up to the timeout, disposes the actor, releases its resources, and stops its worker
    /// if that hosts no other actor. Idempotent; unknown actors are ignored.
    /// </summary>
    /// <param name="id">The actor.</param>
    /// <param name="drainTimeout">How long ongoing calls may take before they are canceled.</param>
    /// <param name="cancellationToken">Cuts the drain short; the actor is stopped all the same.</param>
    Task StopActorAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken);

    /// <summary>Applies new settings to a running actor.</summary>
    /// <param name="id">The actor.</param>
    /// <param name="maxOngoing">The new limit of concurrent calls and HTTP requests.</param>
    /// <param name="payload">Opaque to the runtime; passed to the actor.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="UserCodeException">The actor threw.</exception>
    Task ReconfigureActorAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

    /// <summary>Returns human-readable facts that an operator should know about a running actor, for example that it could not use its GPU. They may change when it is reconfigured.</summary>
    /// <param name="id">The actor.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    Task<IReadOnlyList<string>> GetActorNoticesAsync(ActorId id, CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<string>>([]);

    /// <summary>
    /// Runs the actor's health check, before calls that wait for their turn; throws if it fails or times out, if the same turn has kept the actor busy since before the
    /// previous check, or if the actor does not exist.
    /// </summary>
    /// <param name="id">The actor.</param>
    /// <param name="timeout">Time limit of the check, measured where the actor runs.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task CheckActorAsync(ActorId id, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>Returns the node's register: the actors that run there. A controller that has started recovers them from it instead of starting others.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    Task<IReadOnlyList<HostedActorEntry>> ListActorsAsync(CancellationToken cancellationToken);

    /// <summary>Makes an application package available on the node.</summary>
    /// <param name="hash">The package's content hash.</param>
    /// <param name="cancellationToken">Cancels the transfer.</param>
    Task FetchPackageAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Keeps resources ready for actors that may be created soon, until the next request. Best effort.</summary>
    /// <param name="standby">The resources.</param>
    void KeepReady(NodeStandby standby)
    {
    }

    /// <summary>Makes an object available in the object store of the node; completes at once where the object is already there.</summary>
    /// <param name="id">The object.</param>
    /// <param name="cancellationToken">Cancels the transfer.</param>
    /// <exception cref="ObjectLostException">No node has the object.</exception>
    Task PullObjectAsync(ObjectId id, CancellationToken cancellationToken);

    /// <summary>Publishes the newest value of a topic to the node's process and all its workers, and waits until all have applied it. Workers that die before are not waited for.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="version">Increases with every publication of the topic; older publications are ignored.</param>
    /// <param name="payload">Opaque to the runtime.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    Task PublishAsync(string topic, SnapshotVersion version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

    /// <summary>Stops accepting actors, grants and leases, and waits until all that exist have ended.</summary>
    /// <param name="cancellationToken">Cancels the wait; the node stays in <see cref="NodePhase.Draining"/>.</param>
    Task DrainAsync(CancellationToken cancellationToken);

    /// <summary>Streams what happens on the node without having been requested. Several watchers may read independently.</summary>
    /// <param name="afterVersion">The <see cref="NodeEvent.Version"/> of the last event that the watcher has seen; 0 for all.</param>
    /// <param name="cancellationToken">Ends the stream.</param>
    /// <returns>Events in order of their versions, without gaps; ends when the agent is disposed.</returns>
    IAsyncEnumerable<NodeEvent> WatchAsync(long afterVersion, CancellationToken cancellationToken);

    /// <summary>Collects the metrics of the node's workers in Prometheus' text format: one text per worker that answered in time.</summary>
    /// <param name="cancellationToken">The time limit.</param>
    Task<IReadOnlyList<string>> CollectMetricsAsync(CancellationToken cancellationToken);
}

/// <summary>Resources that a node keeps ready.</summary>
/// <param name="SpareWorkers">Number of workers without actors, so that the next actor that needs a new worker does not wait for the start of a process.</param>
/// <param name="Packages">Hashes of the packages whose files are kept in the page cache of the operating system, most important first.</param>
/// <param name="MaxCachedBytes">Maximum size of these files.</param>
public sealed record NodeStandby(int SpareWorkers, IReadOnlyList<string> Packages, long MaxCachedBytes)
{
    /// <summary>Nothing.</summary>
    public static NodeStandby None { get; } = new(0, [], 0);
}

/// <summary>The driver that holds grants and leases of a node. Never reused: a driver that starts again is another owner.</summary>
/// <param name="Value">The id as text.</param>
public readonly record struct LeaseOwner(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>A share of a node's resources, held until it is disposed or expires.</summary>
public interface IResourceGrant : IAsyncDisposable
{
    /// <summary>The node that granted it.</summary>
    NodeId Node { get; }

    /// <summary>The granted amounts.</summary>
    ResourceDemand Amount { get; }

    /// <summary>The granted GPU devices; whole devices, or a fraction of one.</summary>
    IReadOnlyList<int> GpuIds { get; }
}

/// <summary>The use of a worker process by one holder. Disposing it returns the worker.</summary>
public interface IWorkerLease : IAsyncDisposable
{
    /// <summary>The worker's id, unique in the cluster.</summary>
    string WorkerId { get; }

    /// <summary>The worker's process id in the operating system of its node.</summary>
    int ProcessId { get; }

    /// <summary>Completes with a human-readable reason when the worker's process has exited; never fails.</summary>
    Task<string> Exited { get; }

    /// <summary>Opens a connection that speaks the protocol between processes.</summary>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    Task<Stream> ConnectAsync(CancellationToken cancellationToken);

    /// <summary>Kills the worker process and its children.</summary>
    /// <param name="reason">Reported as the reason of its exit.</param>
    void Kill(string reason);
}

/// <summary>Where a node gets application packages from. Registered by the process that stores them.</summary>
public interface INodePackageSource
{
    /// <summary>Makes a package available on this node.</summary>
    /// <param name="hash">The package's content hash.</param>
    /// <param name="cancellationToken">Cancels the transfer.</param>
    Task FetchAsync(string hash, CancellationToken cancellationToken);

    /// <summary>Returns the files of a package; none if they are not available on the node.</summary>
    /// <param name="hash">The package's content hash.</param>
    IEnumerable<string> FindFiles(string hash) => [];
}
