using System.Reflection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Nodes;
using Serve.Runtime.Placement;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>
/// The cluster's actors: creates them, finds them by name, finds them resources and a process, and cleans up after them. The one writer of
/// its sets, under its lock; what an actor's own phase is, <see cref="ActorRecord"/> decides.
/// </summary>
internal sealed class ActorDirectory : IPlacementGroupOccupant
{
    /// <summary>The drain of an actor whose calls have all ended.</summary>
    public static readonly TimeSpan Patient = TimeSpan.FromMinutes(10);

    private const int Remembered = 1000;
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromMilliseconds(700);

    private readonly DriverCluster _cluster;
    private readonly SchedulingLedgerResolver _ledgers;
    private readonly Lock _sync = new();
    private readonly Dictionary<ActorId, ActorRecord> _living = [];
    private readonly Dictionary<string, ActorRecord> _named = new(StringComparer.Ordinal);
    private readonly Queue<ActorState> _dead = new();
    private readonly InProcessActorHost _here;
    private bool _isDisposed;

    public ActorDirectory(DriverCluster cluster)
    {
        this._cluster = cluster;
        _ledgers = cluster.Ledgers;
        cluster.Placement.Add(this);
        cluster.Tasks.CancellingChildren += CancelChildren;
        cluster.Tasks.Observing += Observe;
        Threads = cluster.Threads.Enqueue;
        _here = new(new(new ActivatorServiceProvider(new CoreActorActivator(cluster)), new("head"), TimeProvider.System, NullLogger<ProcessActorHost>.Instance));
    }

    public Action<IThreadPoolWorkItem> Threads { get; }

    public ILogger Logger { get; } = NullLogger.Instance;

    public DriverActorHandle<TActor> Create<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options)
        where TActor : class =>
        new(Make(new ActorInstanceFactory<TActor>(construct), defaults, options, TaskContext.Current?.InheritedScheduling, static (actor, type) => actor == type));

    /// <summary>Makes an actor, or finds the one that the options ask for.</summary>
    /// <param name="construct">How it is made.</param>
    /// <param name="defaults">What its class's attribute says.</param>
    /// <param name="options">What whoever creates it says.</param>
    /// <param name="inherited">Where it is to run unless the options say.</param>
    /// <param name="isSame">Whether the class of one that is there is the one asked for.</param>
    /// <returns>The actor, which counts one handle more.</returns>
    public ActorRecord Make(ActorInstanceFactory construct, RemoteAttribute defaults, ActorOptions? options, SchedulingStrategy? inherited, Func<Type, Type, bool> isSame)
    {
        _cluster.ThrowIfDisposed();
        foreach (var argument in construct.Arguments)
            argument.ThrowIfOfOtherCluster(_cluster);
        var settings = ResolvedActorOptions.Resolve(defaults, options, inherited, _cluster.Options.Isolation);
        _ = _ledgers.GetLedgers(settings.Scheduling, settings.Demand);
        ActorRecord actor;
        lock (_sync)
        {
            if (_isDisposed)
                throw Cluster.CreateDisposedException();
            if (settings.Name is { } taken && _named.TryGetValue(taken, out var there) && there.TryAddHandle())
            {
                if (options is { GetIfExists: true })
                    return Expect(there, isSame(there.Construct.Type, construct.Type), construct.Type.FullName!);
                there.ReleaseHandle();
                throw new ArgumentException($"An actor named '{taken}' lives already: {there}. Use GetActor or GetIfExists to get it, or kill it first.", nameof(options));
            }

            actor = new(this, _cluster, construct, settings);
            actor.TryAddHandle();
            _living.Add(actor.Id, actor);
            if (settings.Name is { } name)
                _named[name] = actor;
        }

        BringUp(actor, null);
        return actor;
    }

    /// <summary>The same with arguments as objects.</summary>
    /// <exception cref="BadInputException">They do not fit the constructor.</exception>
    public DriverActorHandle<TActor> Create<TActor>(ActorOptions? options, object?[] arguments)
        where TActor : class =>
        Create(new UntypedConstructorCall<TActor>(arguments), typeof(TActor).GetCustomAttribute<RemoteAttribute>() ?? new(), options);

    public DriverActorHandle<TActor> Get<TActor>(string name)
        where TActor : class =>
        new(Get(name, typeof(TActor).FullName!, static type => type == typeof(TActor)));

    /// <summary>Finds an actor by its name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="className">The class it is to be of, for the message.</param>
    /// <param name="isSame">Whether its class is that one.</param>
    /// <returns>The actor, which counts one handle more.</returns>
    /// <exception cref="ActorNotFoundException">There is none, or it is of another class.</exception>
    public ActorRecord Get(string name, string className, Func<Type, bool> isSame)
    {
        _cluster.ThrowIfDisposed();
        lock (_sync)
        {
            if (_named.TryGetValue(name, out var there) && there.TryAddHandle())
                return Expect(there, isSame(there.Construct.Type), className);
            var names = _named.Keys.ToArray();
            throw new ActorNotFoundException(
                $"No living actor is named '{name}'.{(NearestNameFinder.Find(name, names) is { } nearest ? $" Did you mean '{nearest}'?" : "")} "
                + (names.Length == 0 ? "No actor has a name." : $"There are: {string.Join(", ", names.Order(StringComparer.Ordinal).Take(20))}."));
        }
    }

    public ActorRecord? Find(ActorId id)
    {
        lock (_sync)
            return _living.GetValueOrDefault(id);
    }

    public IReadOnlyList<ActorState> List()
    {
        lock (_sync)
            return [.. _dead, .. _living.Values.Select(actor => actor.State).OrderBy(actor => actor.ActorId, StringComparer.Ordinal)];
    }

    /// <summary>Calls that wait or run.</summary>
    public IEnumerable<FinishedTaskRecord> Calls => Living().SelectMany(actor => actor.Calls).Select(call => call.Describe());

    public void OnDead(ActorRecord actor)
    {
        var state = actor.State;
        lock (_sync)
        {
            _living.Remove(actor.Id);
            if (actor.Settings.Name is { } name && _named.GetValueOrDefault(name) == actor)
                _named.Remove(name);
            _dead.Enqueue(state);
            if (_dead.Count > Remembered)
                _dead.Dequeue();
        }
    }

    /// <summary>Begins a life of an actor, after the last one is over.</summary>
    public void BringUp(ActorRecord actor, ActorIncarnation? before) => _ = BringUpAsync(actor, before, actor.BeginBringUp());

    /// <summary>Ends what was there for an actor.</summary>
    public static void TakeDown(ActorRecord actor, ActorIncarnation? last, TimeSpan drain, bool kill) => _ = TakeDownAsync(actor, last, drain, kill);

    void IPlacementGroupOccupant.CancelGroupWork(PlacementGroup group)
    {
        foreach (var actor in Living())
        {
            if (actor.Settings.Scheduling is SchedulingStrategy.InGroup within && within.Group == group)
                actor.Die($"Actor {actor} has ended: its placement group was removed.", null, TimeSpan.Zero);
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (_sync)
            _isDisposed = true;
        var left = Living();
        foreach (var actor in left)
            actor.Die($"Actor {actor} has ended: its cluster was disposed.", null, TimeSpan.Zero);
        await Task.WhenAny(Task.WhenAll(left.Select(actor => actor.Ended)), Task.Delay(DisposeLimit, TimeProvider.System)).ConfigureAwait(false);
    }

    private ActorRecord[] Living()
    {
        lock (_sync)
            return [.. _living.Values];
    }

    private static ActorRecord Expect(ActorRecord actor, bool isSame, string className)
    {
        if (isSame)
            return actor;
        actor.ReleaseHandle();
        throw new ActorNotFoundException($"The actor named '{actor.Settings.Name}' is a {actor.Construct.Type.FullName}, not a {className}.");
    }

    private async Task BringUpAsync(ActorRecord actor, ActorIncarnation? before, TaskCompletionSource begun)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            if (before is not null)
                await before.EndAsync(TimeSpan.Zero, kill: true).ConfigureAwait(false);
            if (actor.IsDone)
                return;
            foreach (var argument in actor.Construct.Arguments)
                await argument.GetBoxedAsync(actor.DeathToken).ConfigureAwait(false);
            var held = actor.Resources ??= await ReserveAsync(actor).ConfigureAwait(false);
            var made = actor.IsProcess ? await BeginInWorkerAsync(actor, held).ConfigureAwait(false) : await BeginHereAsync(actor, held).ConfigureAwait(false);
            if (!actor.TryLive(made))
            {
                await made.EndAsync(TimeSpan.Zero, kill: true).ConfigureAwait(false);
                if (made.EndedBecause is { } reason)
                    OnDiedEarly(actor, reason);
            }
        }
        catch (OperationCanceledException) when (actor.DeathToken.IsCancellationRequested)
        {
            // It was killed before it was there, and TakeDown frees what it held.
        }
        catch (WorkerDiedException died)
        {
            OnDiedEarly(actor, died.Message);
        }
        catch (UserCodeException thrown) when (actor.IsProcess)
        {
            actor.Die($"Actor {actor} could not be created: its constructor threw {thrown.ExceptionType}: {thrown.Message}", thrown, TimeSpan.Zero);
        }
        catch (ActorCreationException failed)
        {
            var cause = failed.InnerException is { } thrown and not ServeException ? new UserCodeException(thrown) : failed.InnerException ?? failed;
            actor.Die($"Actor {actor} could not be created: its constructor threw {failed.Message}", cause, TimeSpan.Zero);
        }
        catch (Exception failed)
        {
            actor.Die($"Actor {actor} could not be created: {failed.Message}", failed, TimeSpan.Zero);
        }
        finally
        {
            begun.TrySetResult();
        }
    }

    private static void OnDiedEarly(ActorRecord actor, string reason)
    {
        if (!actor.TryRestart(reason, null))
            actor.Die($"Actor {actor} is dead: its worker died before it was made. {reason}", null, TimeSpan.Zero);
    }

    private async Task<ActorIncarnation> BeginHereAsync(ActorRecord actor, ActorResourceHold held)
    {
        var spec = new ActorSpec
        {
            Id = actor.Id,
            Kind = CoreActorActivator.CoreKind,
            Concurrency = actor.Settings.Concurrency,
            Local = actor.Construct,
            Turns = actor.Mailboxes.Own,
        };
        return new LocalActorIncarnation(_here, (HostedActor)await _here.CreateAsync(spec, [.. held.Allocation.GpuIds], actor.DeathToken).ConfigureAwait(false));
    }

    private async Task<ActorIncarnation> BeginInWorkerAsync(ActorRecord actor, ActorResourceHold held)
    {
        var worker = await _cluster.Workers.StartActorWorkerAsync(actor.Construct.Type.Name, actor.DeathToken).ConfigureAwait(false);
        var life = new WorkerActorIncarnation(actor, worker);
        try
        {
            await life.BeginAsync(actor.Construct, actor.Settings, held.Allocation.GpuIds).ConfigureAwait(false);
            return life;
        }
        catch
        {
            await life.EndAsync(TimeSpan.Zero, kill: true).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task TakeDownAsync(ActorRecord actor, ActorIncarnation? last, TimeSpan drain, bool kill)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await actor.NotBeingBroughtUp.ConfigureAwait(false);
        if (last is not null)
            await last.EndAsync(drain, kill).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (actor.Resources is { } held)
            held.Ledger.Release(held.Allocation);
        actor.OnEnded();
    }

    /// <summary>Waits until a ledger can give what the actor holds for its life.</summary>
    private async Task<ActorResourceHold> ReserveAsync(ActorRecord actor)
    {
        var candidates = _ledgers.GetLedgers(actor.Settings.Scheduling, actor.Settings.Demand);
        while (true)
        {
            var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void OnReleased() => released.TrySetResult();
            foreach (var ledger in candidates)
                ledger.Released += OnReleased;
            try
            {
                foreach (var ledger in candidates)
                {
                    if (!ledger.TryReserve(actor.Settings.Demand, out var allocation, isLasting: true))
                        continue;
                    actor.Wanted = null;
                    return new(ledger, allocation!);
                }

                actor.Wanted = candidates;
                await released.Task.WaitAsync(actor.DeathToken).ConfigureAwait(false);
            }
            finally
            {
                foreach (var ledger in candidates)
                    ledger.Released -= OnReleased;
            }
        }
    }

    private void Observe(WaitingTaskSnapshot seen)
    {
        foreach (var actor in Living())
            actor.Waits.Observe(seen);
    }

    private void CancelChildren(ObjectId parent, bool force)
    {
        foreach (var call in Living().SelectMany(static actor => actor.Calls).Where(call => call.Parent == parent).ToList())
        {
            call.Cancel();
            _cluster.Tasks.CancelChildren(call.Reference.Id, force);
        }
    }
}
