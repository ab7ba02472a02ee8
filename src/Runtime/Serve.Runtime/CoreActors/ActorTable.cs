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
/// its sets, under its lock; what an actor's own phase is, <see cref="CoreActor"/> decides.
/// </summary>
internal sealed class ActorTable : IGroupOccupants
{
    /// <summary>The drain of an actor whose calls have all ended.</summary>
    public static readonly TimeSpan Patient = TimeSpan.FromMinutes(10);

    private const int Remembered = 1000;
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromMilliseconds(700);

    private readonly HeadCluster cluster;
    private readonly LedgerSource ledgers;
    private readonly Lock sync = new();
    private readonly Dictionary<ActorId, CoreActor> living = [];
    private readonly Dictionary<string, CoreActor> named = new(StringComparer.Ordinal);
    private readonly Queue<ActorState> dead = new();
    private readonly InProcessHome here;
    private bool isDisposed;

    public ActorTable(HeadCluster cluster)
    {
        this.cluster = cluster;
        ledgers = cluster.Ledgers;
        cluster.Placement.Add(this);
        cluster.Tasks.CancellingChildren += CancelChildren;
        cluster.Tasks.Observing += Observe;
        Threads = cluster.Threads.Queue;
        here = new(new(new LocalServices(new CoreActivator(cluster)), new("head"), TimeProvider.System, NullLogger<ActorHost>.Instance));
    }

    public Action<IThreadPoolWorkItem> Threads { get; }

    public ILogger Logger { get; } = NullLogger.Instance;

    public CoreActorHandle<TActor> Create<TActor>(MethodCall<TActor> construct, RemoteAttribute defaults, ActorOptions? options)
        where TActor : class =>
        new(Make(new ActorConstruct<TActor>(construct), defaults, options, TaskContext.Current?.InheritedScheduling, static (actor, type) => actor == type));

    /// <summary>Makes an actor, or finds the one that the options ask for.</summary>
    /// <param name="construct">How it is made.</param>
    /// <param name="defaults">What its class's attribute says.</param>
    /// <param name="options">What whoever creates it says.</param>
    /// <param name="inherited">Where it is to run unless the options say.</param>
    /// <param name="isSame">Whether the class of one that is there is the one asked for.</param>
    /// <returns>The actor, which counts one handle more.</returns>
    public CoreActor Make(ActorConstruct construct, RemoteAttribute defaults, ActorOptions? options, SchedulingStrategy? inherited, Func<Type, Type, bool> isSame)
    {
        cluster.ThrowIfDisposed();
        foreach (var argument in construct.Arguments)
            argument.RequireOf(cluster);
        var settings = ActorSettings.Resolve(defaults, options, inherited, cluster.Options.Isolation);
        _ = ledgers.LedgersFor(settings.Scheduling, settings.Demand);
        CoreActor actor;
        lock (sync)
        {
            if (isDisposed)
                throw Cluster.Disposed();
            if (settings.Name is { } taken && named.TryGetValue(taken, out var there) && there.TryAddHandle())
            {
                if (options is { GetIfExists: true })
                    return Expect(there, isSame(there.Construct.Type, construct.Type), construct.Type.FullName!);
                there.OnHandleGone();
                throw new ArgumentException($"An actor named '{taken}' lives already: {there}. Use GetActor or GetIfExists to get it, or kill it first.", nameof(options));
            }

            actor = new(this, cluster, construct, settings);
            actor.TryAddHandle();
            living.Add(actor.Id, actor);
            if (settings.Name is { } name)
                named[name] = actor;
        }

        BringUp(actor, null);
        return actor;
    }

    /// <summary>The same with arguments as objects.</summary>
    /// <exception cref="BadInputException">They do not fit the constructor.</exception>
    public CoreActorHandle<TActor> Create<TActor>(ActorOptions? options, object?[] arguments)
        where TActor : class =>
        Create(new FittedConstructor<TActor>(arguments), typeof(TActor).GetCustomAttribute<RemoteAttribute>() ?? new(), options);

    public CoreActorHandle<TActor> Get<TActor>(string name)
        where TActor : class =>
        new(Get(name, typeof(TActor).FullName!, static type => type == typeof(TActor)));

    /// <summary>Finds an actor by its name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="className">The class it is to be of, for the message.</param>
    /// <param name="isSame">Whether its class is that one.</param>
    /// <returns>The actor, which counts one handle more.</returns>
    /// <exception cref="ActorNotFoundException">There is none, or it is of another class.</exception>
    public CoreActor Get(string name, string className, Func<Type, bool> isSame)
    {
        cluster.ThrowIfDisposed();
        lock (sync)
        {
            if (named.TryGetValue(name, out var there) && there.TryAddHandle())
                return Expect(there, isSame(there.Construct.Type), className);
            var names = named.Keys.ToArray();
            throw new ActorNotFoundException(
                $"No living actor is named '{name}'.{(NearestName.Find(name, names) is { } nearest ? $" Did you mean '{nearest}'?" : "")} "
                + (names.Length == 0 ? "No actor has a name." : $"There are: {string.Join(", ", names.Order(StringComparer.Ordinal).Take(20))}."));
        }
    }

    public CoreActor? Find(ActorId id)
    {
        lock (sync)
            return living.GetValueOrDefault(id);
    }

    public IReadOnlyList<ActorState> List()
    {
        lock (sync)
            return [.. dead, .. living.Values.Select(actor => actor.State).OrderBy(actor => actor.ActorId, StringComparer.Ordinal)];
    }

    /// <summary>Calls that wait or run.</summary>
    public IEnumerable<EndedTask> Calls => Living().SelectMany(actor => actor.Calls).Select(call => call.Describe());

    public void OnDead(CoreActor actor)
    {
        var state = actor.State;
        lock (sync)
        {
            living.Remove(actor.Id);
            if (actor.Settings.Name is { } name && named.GetValueOrDefault(name) == actor)
                named.Remove(name);
            dead.Enqueue(state);
            if (dead.Count > Remembered)
                dead.Dequeue();
        }
    }

    /// <summary>Begins a life of an actor, after the last one is over.</summary>
    public void BringUp(CoreActor actor, ActorRunner? before) => _ = BringUpAsync(actor, before, actor.BeginBringUp());

    /// <summary>Ends what was there for an actor.</summary>
    public static void TakeDown(CoreActor actor, ActorRunner? last, TimeSpan drain, bool kill) => _ = TakeDownAsync(actor, last, drain, kill);

    void IGroupOccupants.EndIn(PlacementGroup group)
    {
        foreach (var actor in Living())
        {
            if (actor.Settings.Scheduling is SchedulingStrategy.InGroup within && within.Group == group)
                actor.Die($"Actor {actor} has ended: its placement group was removed.", null, TimeSpan.Zero);
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (sync)
            isDisposed = true;
        var left = Living();
        foreach (var actor in left)
            actor.Die($"Actor {actor} has ended: its cluster was disposed.", null, TimeSpan.Zero);
        await Task.WhenAny(Task.WhenAll(left.Select(actor => actor.Ended)), Task.Delay(DisposeLimit, TimeProvider.System)).ConfigureAwait(false);
    }

    private CoreActor[] Living()
    {
        lock (sync)
            return [.. living.Values];
    }

    private static CoreActor Expect(CoreActor actor, bool isSame, string className)
    {
        if (isSame)
            return actor;
        actor.OnHandleGone();
        throw new ActorNotFoundException($"The actor named '{actor.Settings.Name}' is a {actor.Construct.Type.FullName}, not a {className}.");
    }

    private async Task BringUpAsync(CoreActor actor, ActorRunner? before, TaskCompletionSource begun)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            if (before is not null)
                await before.EndAsync(TimeSpan.Zero, kill: true).ConfigureAwait(false);
            if (actor.IsDone)
                return;
            foreach (var argument in actor.Construct.Arguments)
                await argument.BoxAsync(actor.Gone).ConfigureAwait(false);
            var held = actor.Resources ??= await ReserveAsync(actor).ConfigureAwait(false);
            var made = actor.IsProcess ? await BeginInWorkerAsync(actor, held).ConfigureAwait(false) : await BeginHereAsync(actor, held).ConfigureAwait(false);
            if (!actor.TryLive(made))
            {
                await made.EndAsync(TimeSpan.Zero, kill: true).ConfigureAwait(false);
                if (made.EndedBecause is { } reason)
                    OnDiedEarly(actor, reason);
            }
        }
        catch (OperationCanceledException) when (actor.Gone.IsCancellationRequested)
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

    private static void OnDiedEarly(CoreActor actor, string reason)
    {
        if (!actor.TryRestart(reason, null))
            actor.Die($"Actor {actor} is dead: its worker died before it was made. {reason}", null, TimeSpan.Zero);
    }

    private async Task<ActorRunner> BeginHereAsync(CoreActor actor, HeldResources held)
    {
        var spec = new ActorSpec
        {
            Id = actor.Id,
            Kind = CoreActivator.CoreKind,
            Concurrency = actor.Settings.Concurrency,
            Local = actor.Construct,
            Turns = actor.Mailboxes.Own,
        };
        return new LocalRunner(here, (LocalActor)await here.CreateAsync(spec, [.. held.Allocation.GpuIds], actor.Gone).ConfigureAwait(false));
    }

    private async Task<ActorRunner> BeginInWorkerAsync(CoreActor actor, HeldResources held)
    {
        var session = await cluster.Workers.OpenAsync(new WorkerPlacement.Own(actor.Construct.Type.Name), actor.Gone).ConfigureAwait(false);
        var life = new RemoteRunner(actor, session);
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

    private static async Task TakeDownAsync(CoreActor actor, ActorRunner? last, TimeSpan drain, bool kill)
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
    private async Task<HeldResources> ReserveAsync(CoreActor actor)
    {
        var candidates = ledgers.LedgersFor(actor.Settings.Scheduling, actor.Settings.Demand);
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
                await released.Task.WaitAsync(actor.Gone).ConfigureAwait(false);
            }
            finally
            {
                foreach (var ledger in candidates)
                    ledger.Released -= OnReleased;
            }
        }
    }

    private void Observe(WaitSnapshot seen)
    {
        foreach (var actor in Living())
            actor.Waits.Observe(seen);
    }

    private void CancelChildren(ObjectId parent, bool force)
    {
        foreach (var call in Living().SelectMany(static actor => actor.Calls).Where(call => call.Parent == parent).ToList())
        {
            call.Cancel();
            cluster.Tasks.CancelChildren(call.Reference.Id, force);
        }
    }
}
