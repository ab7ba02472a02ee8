using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Calls;
using Serve.Runtime.Actors;
using Serve.Runtime.Execution;
using Serve.Runtime.Objects;
using Serve.Runtime.Parallel;
using Serve.Runtime.Placement;
using Serve.Runtime.Serialization;
using Serve.Runtime.Serialization.Graphs;
using Serve.Runtime.State;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Clusters;

/// <summary>The cluster in the process that called Init, the driver: owns the ledger, the objects, the actors and the workers.</summary>
public sealed partial class DriverCluster : RuntimeCluster, ILocalTaskHost
{
    private readonly Lock _making = new();
    private readonly Func<DriverCluster, IClusterWorkers>? _startWorkers;
    private long _lastId;
    private int _lastConnection;
    private PlacementGroupTable? _placement;
    private IClusterWorkers? _workers;
    private readonly ActorDirectory? _directory;
    private DriverActorFactory? _actors;
    private SharedObjectStore? _objects;
    private int _disposed;

    /// <param name="options">Resources and behavior of the cluster.</param>
    /// <param name="startWorkers">Creates the worker processes when they are first needed; null if the cluster has none.</param>
    /// <param name="ledger">The resources of the node that the cluster is part of; null if the cluster has its own.</param>
    /// <param name="directory">The actors of the node that the cluster is part of; null if the cluster has its own.</param>
    /// <param name="logger">Receives warnings about tasks and actors; null for standard error.</param>
    /// <param name="nodeId">The name of the driver's own node.</param>
    public DriverCluster(
        ClusterOptions options, Func<DriverCluster, IClusterWorkers>? startWorkers = null, ResourceLedger? ledger = null, ActorDirectory? directory = null, ILogger? logger = null,
        string nodeId = PlacementNode.OnlyId)
    {
        Logger = logger ?? ConsoleWarningLogger.Instance;
        _directory = directory;
        Options = options;
        _startWorkers = startWorkers;
        Nodes = new(new PlacementNode(nodeId, ledger ?? new(ResourceDemandFactory.TotalOf(options))));
        Ledgers = new(Nodes);
        Threads = new();
        Tasks = new(this, NextId, Nodes, Threads, options, TimeProvider.System, Logger);
        Tasks.SetWorkerFactory(() => Workers.Tasks);
        if (options.CheckValues)
            Tasks.Check = new(new(options.Serializers, CreatePlacementGroupForm()));
    }

    public ClusterOptions Options { get; }

    /// <summary>Receives warnings about tasks and actors.</summary>
    public ILogger Logger { get; }

    /// <summary>Receives lines that tasks in workers print; null for the console.</summary>
    public TextWriter? Output { get; init; }

    /// <summary>Reads the memory usage of the machine.</summary>
    public Func<SystemMemoryUsage> ReadMemory { get; init; } = SystemMemoryReader.Read;

    /// <summary>Clock of the idle time of pooled memory.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public override bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    public override IReadOnlyDictionary<string, double> Resources => Placement.Totals();

    public override IReadOnlyDictionary<string, double> AvailableResources => Placement.Available();

    /// <summary>Resolves scheduling strategies to ledgers.</summary>
    internal SchedulingLedgerResolver Ledgers { get; }

    /// <summary>The nodes of the cluster and their resource ledgers.</summary>
    public PlacementNodeSet Nodes { get; }

    /// <summary>The nodes and their placement groups; created on first use.</summary>
    public PlacementGroupTable Placement
    {
        get
        {
            if (Volatile.Read(ref _placement) is { } made)
                return made;
            lock (_making)
                return _placement ?? MakePlacement();
        }
    }

    /// <summary>The task dispatcher.</summary>
    public TaskDispatcher Tasks { get; }

    TaskDispatcher ILocalTaskHost.Tasks => Tasks;

    double ILocalTaskHost.LocalCpus => Options.NumCpus ?? Environment.ProcessorCount;

    /// <summary>The actors; created on first use.</summary>
    public DriverActorFactory Actors => LazyInitializer.EnsureInitialized(ref _actors, CreateActors)!;

    /// <summary>The store of objects in shared memory, on disk, or lent to workers; created on first use.</summary>
    internal SharedObjectStore Objects => LazyInitializer.EnsureInitialized(ref _objects, () => new(
        Options,
        Time,
        () => Options.Isolation == Isolation.Process || Options.PrestartWorkers > 0 || StartedWorkers is not null || Nodes.Current.Length > 1,
        CreatePlacementGroupForm()))!;

    private RuntimeTypeForm CreatePlacementGroupForm() => RuntimeTypeForm.PlacementGroups(group => Placement.Find(group.Id));

    /// <summary>Returns unused memory of the object store to the operating system.</summary>
    /// <returns>The number of bytes.</returns>
    public long GiveUpIdleMemory() => Volatile.Read(ref _objects)?.ReleaseIdleMemory() ?? 0;

    /// <summary>Serializes values for other processes.</summary>
    public ObjectValueCodec Codec => Objects.Codec;

    /// <summary>The workers; null if none was needed yet.</summary>
    internal IClusterWorkers? StartedWorkers => Volatile.Read(ref _workers);

    private IEnumerable<IClusterWorkers> AllWorkers => Nodes.Current.Select(static node => node.Workers).Prepend(StartedWorkers).OfType<IClusterWorkers>();

    /// <summary>The worker processes of the driver's own node and the connections to them; created on first use.</summary>
    public IClusterWorkers Workers
    {
        get
        {
            if (Volatile.Read(ref _workers) is { } made)
                return made;
            lock (_making)
            {
                ThrowIfDisposed();
                return _workers ??= _startWorkers?.Invoke(this) ?? throw new NotSupportedException("This cluster has no worker processes.");
            }
        }
    }

    public override ObjectRef<T> Put<T>(T value)
    {
        ThrowIfDisposed();
        Tasks.Check?.RequireSerializable(value, "the value");
        var reference = new ObjectRef<T>(this, NextId());
        if (!LargeArrayDetector<T>.IsLarge(value) || !Objects.TryPut(reference, value))
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
        if (reference is not IPendingActorCall call)
        {
            reference.Producer?.Cancel(force, recursive);
            return;
        }

        call.Cancel();
        if (recursive)
            Tasks.CancelChildren(reference.Id, force);
    }

    public override void Free(params IEnumerable<ObjectRef> references)
    {
        foreach (var reference in references)
        {
            reference.ThrowIfOfOtherCluster(this);
            reference.Free();
        }
    }

    public override ActorHandle<TActor> GetActor<TActor>(string name) => Actors.Get<TActor>(name);

    public override ActorHandle<TActor> Actor<TActor>(ActorOptions? options = null, params object?[] arguments) => Actors.Create<TActor>(options, arguments);

    public override ActorHandle<TActor> CreateActor<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options = null) =>
        Actors.Create(construct, defaults, options);

    public override PlacementGroup CreatePlacementGroup(IEnumerable<Bundle> bundles, PlacementStrategy strategy = PlacementStrategy.Pack, string? name = null)
    {
        ThrowIfDisposed();
        return Placement.Create(bundles, strategy, name);
    }

    public override IReadOnlyList<TaskState> ListTasks() => Tasks.List(Volatile.Read(ref _actors)?.Calls ?? []);

    public override IReadOnlyList<ActorState> ListActors() => Actors.Directory.List();

    public override IReadOnlyList<ObjectState> ListObjects() => ObjectStateLister.List(Objects.Objects, AllWorkers.SelectMany(static workers => workers.LentObjects), Tasks.FinishedTasks.Read());

    public override IReadOnlyList<WorkerState> ListWorkers() => [.. AllWorkers.SelectMany(static workers => workers.List())];

    public override ClusterSummary Summary() => ClusterStateSummarizer.Summarize(this);

    public override Task WriteTimeline(Stream output, CancellationToken cancellationToken = default) =>
        TimelineTraceWriter.WriteAsync(this, limit: null, output, TimeProvider.System.GetUtcNow(), cancellationToken);

    /// <summary>Cancels a task or an actor call by its id.</summary>
    /// <param name="taskId">The id, as in <see cref="TaskState.TaskId"/>.</param>
    /// <param name="force">Kills the worker process that runs the task.</param>
    /// <returns>Whether there is an unfinished one of that id.</returns>
    public bool TryCancelTask(string taskId, bool force)
    {
        if (Tasks.ListUnfinished().Find(task => task.TaskId.ToString() == taskId) is { } found)
        {
            found.Cancel(force, recursive: true);
            return true;
        }

        return Volatile.Read(ref _actors)?.TryCancelCall(taskId) is true;
    }

    /// <summary>Kills an actor by its id. Replicas of deployments are not killed: the controller owns them.</summary>
    /// <param name="actorId">The id, as in <see cref="ActorState.ActorId"/>.</param>
    /// <param name="noRestart">Whether the actor stays dead if it could be restarted.</param>
    /// <returns>Whether there is a live one of that id.</returns>
    public bool TryKillActor(string actorId, bool noRestart)
    {
        if (Actors.Directory.Find(new(actorId)) is not { Calls: not null } actor || actor.DeathToken.IsCancellationRequested)
            return false;
        actor.Kill(noRestart);
        return true;
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await EndObservationAsync().ConfigureAwait(false);
        if (Volatile.Read(ref _dashboard) is { } dashboard)
            await dashboard.DisposeAsync().ConfigureAwait(false);
        await Tasks.DisposeAsync().ConfigureAwait(false);
        ReportUnobservedFailures();
        if (Volatile.Read(ref _actors) is { } living)
            await living.CloseAsync().ConfigureAwait(false);
        PlacementGroupTable? groups;
        IClusterWorkers? made;
        lock (_making)
            (groups, made) = (_placement, _workers);
        groups?.Close();
        if (made is not null)
            await made.DisposeAsync().ConfigureAwait(false);
        foreach (var node in Nodes.Current)
        {
            if (node.Workers is { } workers)
                await workers.DisposeAsync().ConfigureAwait(false);
        }

        await Threads.DisposeAsync().ConfigureAwait(false);
        Volatile.Read(ref _objects)?.Dispose();
    }

    protected override void OnUnobservedFailure(string producer, Exception failure) => Log.Unobserved(Logger, producer, failure);

    protected override ObjectRef<TItem> CreateItemRef<TTuple, TItem>(ObjectRef<TTuple> tuple, int index)
    {
        ThrowIfDisposed();
        return new TupleItemObjectRef<TTuple, TItem>(tuple, NextId(), index);
    }

    protected override bool RunsInWorkers(Isolation isolation) => (isolation == Isolation.Default ? Options.Isolation : isolation) == Isolation.Process;

    /// <summary>The threads of tasks and actors of this process.</summary>
    internal override TaskThreadPool Threads { get; }

    private DriverActorFactory CreateActors()
    {
        var process = new ProcessActorHost(
            new ActivatorServiceProvider(new CoreActorActivator(this)), new("driver"), TimeProvider.System, NullLogger<ProcessActorHost>.Instance);
        var actors = new DriverActorFactory(
            _directory ?? new(TimeProvider.System), new(this, NextId, Tasks, Threads.Enqueue, Logger), Ledgers, new(process, FindWorkers), Options.Isolation);
        Placement.Add(actors);
        return actors;
    }

    private IClusterWorkers? FindWorkers(ResourceLedger ledger) => Nodes.IsLocal(ledger) ? Workers : Nodes.Find(ledger.NodeId)?.Workers;

    private PlacementGroupTable MakePlacement()
    {
        var made = new PlacementGroupTable(Nodes, TimeProvider.System, Tasks);
        made.Add(Tasks);
        if (IsDisposed)
            made.Close();
        Volatile.Write(ref _placement, made);
        return made;
    }

    /// <summary>Returns the number of the next connection to a worker, from which the worker makes its object ids.</summary>
    public int NextConnectionNumber() => Interlocked.Increment(ref _lastConnection);

    /// <summary>Returns the id of the next object or task.</summary>
    public ObjectId NextId() => new(Interlocked.Increment(ref _lastId));

    private static partial class Log
    {
        [LoggerMessage(EventId = 1006, Level = LogLevel.Warning, Message = "{Producer} failed, and no code has waited for it")]
        public static partial void Unobserved(ILogger logger, string producer, Exception failure);
    }
}
