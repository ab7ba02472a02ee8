using Serve.Calls;
using Serve.Runtime.CoreActors;
using Serve.Runtime.Objects;
using Serve.Runtime.Placement;
using Serve.Runtime.Serialization;
using Serve.Runtime.Sessions;
using Serve.Runtime.State;
using Serve.Runtime.Tasks;
using Serve.Runtime.Workers;

namespace Serve.Runtime.Clusters;

/// <summary>The cluster in the process that started it: it owns the ledger, the objects, the actors and the workers.</summary>
internal sealed partial class HeadCluster : RuntimeCluster
{
    private readonly Lock making = new();
    private readonly NodeParts? node;
    private readonly ClusterNode[] nodes;
    private long lastId;
    private PlacementTable? placement;
    private ClusterWorkers? workers;
    private ActorTable? actors;
    private ObjectStore? objects;
    private int disposed;

    public HeadCluster(ClusterOptions options, NodeParts? node = null)
    {
        Options = options;
        this.node = node;
        nodes = [new(ClusterNode.OnlyId, node?.Ledger ?? new(ResourceDemands.TotalOf(options)))];
        Ledgers = new(nodes);
        Threads = new();
        Tasks = new(this, NextId, Ledgers, Threads, options, TimeProvider.System);
        Tasks.UseWorkers(() => Workers.Tasks);
    }

    public ClusterOptions Options { get; }

    /// <summary>Where lines that tasks in workers write appear; null for the console.</summary>
    public TextWriter? Output { get; init; }

    /// <summary>How much memory is in use.</summary>
    public Func<MemoryReading> ReadMemory { get; init; } = ProcessMemory.Read;

    /// <summary>Tells when memory that waits to be used again has waited long enough.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public override bool IsDisposed => Volatile.Read(ref disposed) != 0;

    public override IReadOnlyDictionary<string, double> Resources => Placement.Totals();

    public override IReadOnlyDictionary<string, double> AvailableResources => Placement.Available();

    /// <summary>Which ledgers may serve what.</summary>
    internal LedgerSource Ledgers { get; }

    /// <summary>The nodes and the groups reserved of them; made when first needed.</summary>
    internal PlacementTable Placement
    {
        get
        {
            if (Volatile.Read(ref placement) is { } made)
                return made;
            lock (making)
                return placement ?? MakePlacement();
        }
    }

    /// <summary>The tasks.</summary>
    internal TaskDispatcher Tasks { get; }

    /// <summary>The actors; made when first needed.</summary>
    internal ActorTable Actors => LazyInitializer.EnsureInitialized(ref actors, () => new(this))!;

    /// <summary>The objects that are not only this process's: in shared memory, on disk, lent to workers. Made when first needed.</summary>
    internal ObjectStore Objects => LazyInitializer.EnsureInitialized(ref objects, () => new(this))!;

    /// <summary>Gives back to the system what the objects' memory has no object in.</summary>
    /// <returns>The bytes.</returns>
    internal long GiveUpIdleMemory() => Volatile.Read(ref objects)?.GiveUpIdle() ?? 0;

    /// <summary>Writes and reads values for other processes.</summary>
    internal ValueCodec Codec => Objects.Codec;

    /// <summary>The workers, where there are any.</summary>
    internal ClusterWorkers? StartedWorkers => Volatile.Read(ref workers);

    /// <summary>Worker processes, and the session with each; made when first needed.</summary>
    internal ClusterWorkers Workers
    {
        get
        {
            if (Volatile.Read(ref workers) is { } made)
                return made;
            lock (making)
            {
                ThrowIfDisposed();
                return workers ??= node is null ? WorkerLaunch.WorkersOf(this) : new(this, node.Pool, folder: null, new ConsoleLogger(), ownsPool: false);
            }
        }
    }

    /// <summary>Lets code that lives in a worker, replicas say, use this cluster from soon on. A worker that cannot be reached is about to end, which others see.</summary>
    public void Attach(Worker worker) => _ = Workers.SessionOfAsync(worker, CancellationToken.None);

    public override ObjectRef<T> Put<T>(T value)
    {
        ThrowIfDisposed();
        var reference = new ObjectRef<T>(this, NextId());
        if (!LargeValue<T>.IsLarge(value) || !Objects.TryPut(reference, value))
            reference.TrySetResult(value);
        return reference;
    }

    public override ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options = null) =>
        Tasks.Submit(function, call, options);

    public override ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options = null) =>
        Tasks.SubmitStream(function, call, options);

    public override void Cancel(ObjectRef reference, bool force = false, bool recursive = true)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference is not IActorCall call)
        {
            reference.Producer?.Cancel(force, recursive);
            return;
        }

        call.Cancel();
        if (recursive)
            Tasks.CancelChildren(reference.Id, force);
    }

    public override void Free(params IEnumerable<ObjectRef> references) => ObjectStore.Free(this, references);

    public override ActorHandle<TActor> GetActor<TActor>(string name) => Actors.Get<TActor>(name);

    public override ActorHandle<TActor> Actor<TActor>(ActorOptions? options = null, params object?[] arguments) => Actors.Create<TActor>(options, arguments);

    public override ActorHandle<TActor> CreateActor<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options = null) =>
        Actors.Create(construct, defaults, options);

    public override PlacementGroup CreatePlacementGroup(IEnumerable<Bundle> bundles, PlacementStrategy strategy = PlacementStrategy.Pack, string? name = null)
    {
        ThrowIfDisposed();
        return Placement.Create(bundles, strategy, name);
    }

    public override IReadOnlyList<TaskState> ListTasks() => Tasks.List(Volatile.Read(ref actors)?.Calls ?? []);

    public override IReadOnlyList<ActorState> ListActors() => Actors.List();

    public override IReadOnlyList<ObjectState> ListObjects() => ObjectList.Of(this);

    public override IReadOnlyList<WorkerState> ListWorkers() => Volatile.Read(ref workers)?.List() ?? [];

    public override ClusterSummary Summary() => ClusterState.Summarize(this);

    public override Task WriteTimeline(Stream output, CancellationToken cancellationToken = default) =>
        Timeline.WriteAsync(this, output, TimeProvider.System.GetUtcNow(), cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        await EndObservationAsync().ConfigureAwait(false);
        await Tasks.DisposeAsync().ConfigureAwait(false);
        if (Volatile.Read(ref actors) is { } living)
            await living.DisposeAsync().ConfigureAwait(false);
        PlacementTable? groups;
        ClusterWorkers? made;
        lock (making)
            (groups, made) = (placement, workers);
        groups?.Close();
        if (made is not null)
            await made.DisposeAsync().ConfigureAwait(false);
        await Threads.DisposeAsync().ConfigureAwait(false);
        Volatile.Read(ref objects)?.Dispose();
    }

    internal override ObjectRef<TItem> TakeItem<TTuple, TItem>(ObjectRef<TTuple> tuple, int index)
    {
        ThrowIfDisposed();
        return new TupleItemRef<TTuple, TItem>(tuple, NextId(), index);
    }

    internal override bool RunsInWorkers(Isolation isolation) => (isolation == Isolation.Default ? Options.Isolation : isolation) == Isolation.Process;

    /// <summary>What tasks and actors of this process run on.</summary>
    internal override CoreThreads Threads { get; }

    private PlacementTable MakePlacement()
    {
        var made = new PlacementTable(nodes, TimeProvider.System, this);
        made.Add(Tasks);
        if (IsDisposed)
            made.Close();
        Volatile.Write(ref placement, made);
        return made;
    }

    /// <summary>The id of the next object or task.</summary>
    internal ObjectId NextId() => new(Interlocked.Increment(ref lastId));
}
