using System.Reflection;
using Serve.Calls;
using Serve.Runtime.Execution;
using Serve.Runtime.Placement;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>Creates Core's actors for user code, and finds them by name. Connects them to placement groups and to the tasks that call them.</summary>
public sealed class DriverActorFactory : IPlacementGroupOccupant
{
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromMilliseconds(700);

    private readonly ActorDirectory _directory;
    private readonly ActorCallServices _services;
    private readonly SchedulingLedgerResolver _ledgers;
    private readonly CoreActorHosts _hosts;
    private readonly Isolation _defaultIsolation;

    internal DriverActorFactory(ActorDirectory directory, ActorCallServices services, SchedulingLedgerResolver ledgers, CoreActorHosts hosts, Isolation defaultIsolation)
    {
        _directory = directory;
        _services = services;
        _ledgers = ledgers;
        _hosts = hosts;
        _defaultIsolation = defaultIsolation;
        services.Tasks.CancellingChildren += CancelChildren;
        services.Tasks.Observing += Observe;
    }

    public ActorDirectory Directory => _directory;

    /// <summary>Waiting and running calls.</summary>
    internal IEnumerable<FinishedTaskRecord> Calls => Queues.SelectMany(static queue => queue.Calls).Select(static call => call.Describe());

    /// <summary>Cancels an unfinished call by its id, with the tasks that it has started.</summary>
    /// <param name="id">The id as text.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryCancelCall(string id)
    {
        foreach (var call in Queues.SelectMany(static queue => queue.Calls))
        {
            if (new ObjectId(call.Describe().Id).ToString() != id)
                continue;
            call.Cancel();
            _services.Tasks.CancelChildren(call.Reference.Id, force: false);
            return true;
        }

        return false;
    }

    private IEnumerable<ActorCallQueue> Queues => _directory.Living.Select(static actor => actor.Calls).OfType<ActorCallQueue>();

    internal DriverActorHandle<TActor> Create<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options)
        where TActor : class =>
        new(GetOrCreate(new ActorInstanceFactory<TActor>(construct), defaults, options, TaskContext.Current?.InheritedScheduling, static (actor, type) => actor == type));

    /// <summary>Creates an actor from untyped arguments.</summary>
    /// <exception cref="BadInputException">The arguments do not match the constructor.</exception>
    internal DriverActorHandle<TActor> Create<TActor>(ActorOptions? options, object?[] arguments)
        where TActor : class =>
        Create(new UntypedConstructorCall<TActor>(arguments), typeof(TActor).GetCustomAttribute<RemoteAttribute>() ?? new(), options);

    /// <summary>Creates an actor, or finds an existing one if the options allow it.</summary>
    /// <param name="factory">Creates its instances.</param>
    /// <param name="defaults">The attribute of its class.</param>
    /// <param name="options">Options of this creation.</param>
    /// <param name="inherited">Scheduling strategy if the options specify none.</param>
    /// <param name="isSame">Whether the class of an existing actor is the requested one.</param>
    /// <returns>The actor; the caller owns one counted handle.</returns>
    public ActorCallQueue GetOrCreate(ActorInstanceFactory factory, RemoteAttribute defaults, ActorOptions? options, SchedulingStrategy? inherited, Func<Type, Type, bool> isSame)
    {
        _services.Cluster.ThrowIfDisposed();
        foreach (var argument in factory.Arguments)
            argument.ThrowIfOfOtherCluster(_services.Cluster);
        var resolved = ResolvedActorOptions.Resolve(defaults, options, inherited, _defaultIsolation);
        _ = _ledgers.GetActorLedgers(resolved.Scheduling, resolved.Demand, resolved.IsProcess);
        while (true)
        {
            if (resolved.Name is { } name && _directory.TryGetHandle(name, out var existing))
            {
                if (options is { GetIfExists: true })
                    return Expect(existing, isSame(existing.Calls!.Factory.Type, factory.Type), factory.Type.FullName!);
                existing.ReleaseHandle();
                throw new ArgumentException($"An actor named '{name}' already exists: {existing}. Use GetActor or GetIfExists to get it, or kill it first.", nameof(options));
            }

            var actor = NewRecord(factory, resolved);
            actor.TryAddHandle();
            if (_directory.TryAdd(actor))
                return actor.Calls!;
        }
    }

    internal DriverActorHandle<TActor> Get<TActor>(string name)
        where TActor : class =>
        new(Get(name, typeof(TActor).FullName!, static type => type == typeof(TActor)));

    /// <summary>Finds an actor by its name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="className">Name of the expected class.</param>
    /// <param name="isSame">Whether a class is the expected one.</param>
    /// <returns>The actor; the caller owns one counted handle.</returns>
    /// <exception cref="ActorNotFoundException">There is no such actor, or it has another class.</exception>
    public ActorCallQueue Get(string name, string className, Func<Type, bool> isSame)
    {
        _services.Cluster.ThrowIfDisposed();
        if (_directory.TryGetHandle(name, out var actor))
            return Expect(actor, isSame(actor.Calls!.Factory.Type), className);
        var names = _directory.Names;
        throw new ActorNotFoundException(
            $"No actor named '{name}' exists.{(NearestNameFinder.Find(name, names) is { } nearest ? $" Did you mean '{nearest}'?" : "")} "
            + (names.Count == 0 ? "There are no named actors." : $"Named actors: {string.Join(", ", names.Order(StringComparer.Ordinal).Take(20))}."));
    }

    /// <summary>Ends all actors of the cluster; waits a short time for their disposal.</summary>
    public Task CloseAsync() => _directory.CloseAsync(static actor => actor.Calls is not null, "its cluster was disposed", DisposeLimit);

    void IPlacementGroupOccupant.CancelGroupWork(PlacementGroup group)
    {
        foreach (var queue in Queues)
        {
            if (queue.Options.Scheduling is SchedulingStrategy.InGroup within && within.Group == group)
                queue.Actor.TryDie($"Actor {queue.Actor} has ended: its placement group was removed.", null, TimeSpan.Zero);
        }
    }

    private static ActorCallQueue Expect(ActorRecord actor, bool isSame, string className)
    {
        if (isSame)
            return actor.Calls!;
        actor.ReleaseHandle();
        throw new ActorNotFoundException($"The actor named '{actor.Definition.Name}' is a {actor.Calls!.Factory.Type.FullName}, not a {className}.");
    }

    private ActorRecord NewRecord(ActorInstanceFactory factory, ResolvedActorOptions options)
    {
        var number = _services.NextId();
        var definition = new ActorDefinition
        {
            Id = new(number.ToString()),
            ClassName = factory.Type.Name,
            Name = options.Name,
            Restart = RestartPolicy.UpTo(options.MaxRestarts),
            Admission = AdmissionPolicy.Queue,
            Owner = options.IsDetached ? ActorOwner.Detached : ActorOwner.Handles,
            Demand = options.Demand,
            Launcher = new CoreActorLauncher(_hosts, _ledgers, options, factory),
        };
        return new(definition, _directory, actor => new(actor, _services, options, factory, number));
    }

    private void Observe(WaitingTaskSnapshot snapshot)
    {
        foreach (var queue in Queues)
            queue.Waits.Observe(snapshot);
    }

    private void CancelChildren(ObjectId parent, bool force)
    {
        foreach (var call in Queues.SelectMany(static queue => queue.Calls).Where(call => call.Parent == parent).ToList())
        {
            call.Cancel();
            _services.Tasks.CancelChildren(call.Reference.Id, force);
        }
    }
}

/// <summary>Where Core's actors run: in the driver process, or in workers of any node.</summary>
/// <param name="Process">The actors of the driver process.</param>
/// <param name="FindWorkers">Returns the workers of the node that owns a ledger; null if the node has left.</param>
internal sealed record CoreActorHosts(ProcessActorHost Process, Func<ResourceLedger, IClusterWorkers?> FindWorkers);

/// <summary>Starts the incarnations of one of Core's actors, in the driver process or in a worker of its own on the node that granted its resources.</summary>
internal sealed class CoreActorLauncher(CoreActorHosts hosts, SchedulingLedgerResolver ledgers, ResolvedActorOptions options, ActorInstanceFactory factory) : IActorLauncher
{
    public ResourceLedger[] FindLedgers() => ledgers.GetActorLedgers(options.Scheduling, options.Demand, options.IsProcess);

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        foreach (var argument in factory.Arguments)
            await argument.GetBoxedAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task<ActorIncarnation> StartAsync(ActorRecord actor, ActorResourceHold resources, CancellationToken cancellationToken) =>
        options.IsProcess ? StartInWorkerAsync(actor.Calls!, resources, cancellationToken) : StartHereAsync(actor.Calls!, resources, cancellationToken);

    private async Task<ActorIncarnation> StartHereAsync(ActorCallQueue calls, ActorResourceHold resources, CancellationToken cancellationToken)
    {
        var watched = calls.Tasks.Check?.Begin($"the constructor of {factory.Type.Name}", factory.GetArguments());
        var actor = CoreActorActivator.CreateAsync(hosts.Process, calls.Actor.Id, factory, calls.Mailboxes.Own, options.Concurrency, resources.Allocation.GpuIds, cancellationToken);
        var started = await actor.ConfigureAwait(false);
        watched?.RequireUnmodified();
        return new LocalActorIncarnation(hosts.Process, started);
    }

    private async Task<ActorIncarnation> StartInWorkerAsync(ActorCallQueue calls, ActorResourceHold resources, CancellationToken cancellationToken)
    {
        var workers = hosts.FindWorkers(resources.Ledger) ?? throw new WorkerDiedException($"Node '{resources.Ledger.NodeId}' has left the cluster.");
        var worker = await workers.StartActorWorkerAsync(factory.Type.Name, cancellationToken).ConfigureAwait(false);
        var incarnation = new WorkerActorIncarnation(calls, worker);
        try
        {
            await incarnation.BeginAsync(resources.Allocation.GpuIds).ConfigureAwait(false);
            return incarnation;
        }
        catch
        {
            await incarnation.EndAsync(TimeSpan.Zero, kill: true, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }
}
