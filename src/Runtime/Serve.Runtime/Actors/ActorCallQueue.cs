using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Placement;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>
/// The calls of one actor with <see cref="AdmissionPolicy.Queue"/>: accepts them, keeps them in mailboxes while the actor does not run, and tracks those that run.
/// Whether the actor lives is decided by its <see cref="ActorRecord"/>, which calls this class at its transitions.
/// </summary>
public sealed class ActorCallQueue
{
    private readonly ActorCallServices _services;
    private readonly ActorMailboxSet _mailboxes;
    private readonly ConcurrentDictionary<(string, string?), ActorMethodPlan> _plans = new();
    private readonly HashSet<(IPendingActorCall Call, int Attempt)> _running = [];
    private readonly ObjectRef<bool> _created;
    private PaddedCallCounter _submitted;
    private PaddedCallCounter _completed;
    private CachedMethodPlan? _lastPlan;

    internal ActorCallQueue(ActorRecord actor, ActorCallServices services, ResolvedActorOptions options, ActorInstanceFactory factory, ObjectId number)
    {
        Actor = actor;
        _services = services;
        Options = options;
        Factory = factory;
        Descriptor = new(number.Number, options.Name, options.MaxPendingCalls >= 0);
        Methods = ActorMethodTable.For(factory.Type);
        _created = new(services.Cluster, number);
        Waits = new(this);

        // A worker has mailboxes of its own with the actor's limits; here calls only keep their order.
        _mailboxes = new(
            options.IsProcess ? ConcurrencyMode.TurnBased : options.Concurrency,
            options.IsProcess ? int.MaxValue : options.MaxConcurrency,
            options.Groups, services.Logger, services.Threads);
        _mailboxes.Pause();
    }

    public ActorRecord Actor { get; }

    public ResolvedActorOptions Options { get; }

    /// <summary>Creates the instances of the actor.</summary>
    public ActorInstanceFactory Factory { get; }

    /// <summary>Identifies the actor to other processes.</summary>
    public ActorHandleDescriptor Descriptor { get; }

    public ActorMethodTable Methods { get; }

    public Cluster Cluster => _services.Cluster;

    public TaskDispatcher Tasks => _services.Tasks;

    public ActorMailboxSet Mailboxes => _mailboxes;

    /// <summary>Becomes ready when the actor is alive for the first time; fails if it dies before.</summary>
    public ObjectRef Created => _created;

    /// <summary>Calls whose code waits.</summary>
    internal ActorWaitTracker Waits { get; }

    public bool IsProcess => Options.IsProcess;

    /// <summary>Number of calls that wait or run.</summary>
    public long Pending => _submitted.Value - _completed.Value;

    /// <summary>A snapshot of the waiting and running calls, limited in size.</summary>
    internal IEnumerable<IPendingActorCall> Calls
    {
        get
        {
            const int Most = 10_000;
            lock (_running)
                return [.. _mailboxes.Waiting(Most).Concat(_running.Select(static entry => entry.Call)).Concat(_mailboxes.Current).Distinct().Where(static call => !call.Reference.IsReady)];
        }
    }

    public ObjectId NextId() => _services.NextId();

    /// <summary>Creates another handle, possibly to an actor that is ending.</summary>
    public IActorHandleLink NewHandle()
    {
        Actor.TryAddHandle();
        return Factory.HandleTo(this);
    }

    public ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options) => Submit(call, options, ActorCallOrigin.Here);

    public ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options, ActorCallOrigin origin)
    {
        _services.Cluster.ThrowIfDisposed();
        var plan = PlanOf(call.Method, options?.ConcurrencyGroup);
        ThrowIfFull();
        var details = options is null && origin.Parent is null ? null : new ActorCallDetails(options, origin.Parent);
        var pending = new UnaryActorCall<TResult>(this, origin.Id ?? _services.NextId(), plan, details, call);
        Begin(pending, call, plan, origin);
        return pending;
    }

    public BufferedObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options) =>
        SubmitStream(call, options, ActorCallOrigin.Here);

    public BufferedObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options, ActorCallOrigin origin)
    {
        _services.Cluster.ThrowIfDisposed();
        var plan = PlanOf(call.Method, options?.ConcurrencyGroup);
        ThrowIfFull();
        var pending = new StreamingActorCall<TItem>(this, origin.Id ?? _services.NextId(), plan, new(options, origin.Parent), call);
        Begin(pending, call, plan, origin);
        return pending.Items;
    }

    /// <summary>Adds the dependencies of an actor that has not started: its constructor's arguments and its resources.</summary>
    public void AddCreationDependencies(object since, ICollection<ObjectDependency> dependencies)
    {
        if (Factory.Arguments is { Count: > 0 } arguments)
            ObjectDependency.AddRequired(dependencies, Actor, arguments, arguments.Count, untilFault: true);
        if (Options.Scheduling is SchedulingStrategy.InGroup { Group: ReservedPlacementGroup { IsReserved: false } group })
            group.AddTo(dependencies);
        else if (Actor.WantedLedgers is { Count: 1 } ledgers)
            WaitingResourceHolder.AddDependencies(dependencies, Tasks.WaitingHolders, since, ledgers, Options.Demand, queue: null);
    }

    /// <summary>Returns a call that could not be started to its mailbox, where it waits for the next incarnation; fails it if the actor is dead.</summary>
    internal void Return(IPendingActorCall call)
    {
        if (!Actor.TryPutBack([call]))
            call.Fail(Actor.DeathException());
    }

    /// <summary>Ends the actor at the request of its own code.</summary>
    internal void EndFromInside(IPendingActorCall call)
    {
        Actor.TryDie($"Actor {Actor} has ended: it ended itself in {call.Title}.", null, TimeSpan.Zero);
        call.Fail(Actor.DeathException());
    }

    internal void OnCompleted(in FinishedTaskRecord call)
    {
        _services.Tasks.FinishedTasks.Add(call);
        _completed.Increment();
        if (Actor.IsClosed)
            Actor.EndWhenDone();
    }

    /// <summary>Registers a call that continues after its first turn.</summary>
    /// <returns>The entered limiter of the incarnation; null if it is closed or the worker counts.</returns>
    internal ConcurrencyLimiter? Enter(ActorIncarnation incarnation, IPendingActorCall call, int attempt)
    {
        lock (_running)
            _running.Add((call, attempt));
        return incarnation.Limiter is { } limiter && limiter.TryEnter() ? limiter : null;
    }

    internal void Exit(ConcurrencyLimiter? limiter, IPendingActorCall call, int attempt)
    {
        lock (_running)
            _running.Remove((call, attempt));
        limiter?.Exit();
    }

    /// <summary>Starts calls: the actor is alive.</summary>
    public void OnAlive()
    {
        _created.TrySetResult(true);
        _mailboxes.Resume();
    }

    /// <summary>Starts no calls until <see cref="OnAlive"/>.</summary>
    public void Pause() => _mailboxes.Pause();

    /// <summary>Returns the running calls to the mailboxes, or fails those that may not be retried: their incarnation has ended.</summary>
    public void RetryRunning(string failure)
    {
        var died = new ActorDiedException(failure);
        var retried = RemoveRunning().Where(call => call.TryPrepareRetry(died)).ToArray();
        if (Actor.TryPutBack(retried))
            return;
        foreach (var call in retried)
            call.Fail(Actor.DeathException());
    }

    /// <summary>Fails all calls: the actor is dead.</summary>
    public void OnDead()
    {
        _created.TrySetException(Actor.DeathException());
        foreach (var call in RemoveRunning().Concat(_mailboxes.RemoveAll()))
            call.Fail(Actor.DeathException());

        // Calls that arrive concurrently are taken from the mailbox, and fail.
        _mailboxes.Resume();
    }

    private void Begin<TCall>(IPendingActorCall pending, MethodCall<TCall> call, ActorMethodPlan plan, ActorCallOrigin origin)
    {
        var arguments = call.HasRefs || plan.Lanes.Any ? ArgumentsOf(call) : null;
        pending.Reference.Producer = (IObjectProducer)pending;
        _submitted.Increment();
        if (Actor.IsClosed)
            pending.Fail(Actor.DeathException());
        else if (arguments is not null)
            PostInOrder(pending, arguments, origin);
        else
            plan.Turns.Post(pending);
    }

    private void PostInOrder(IPendingActorCall pending, List<ObjectRef> arguments, ActorCallOrigin origin)
    {
        pending.Plan.Lanes.Post(pending, origin.Caller ?? _services.Cluster, arguments);

        // The actor may have died concurrently, after its queues had been emptied.
        if (Actor.IsClosed && Actor.Incarnation is null)
            Return(pending);
    }

    private IPendingActorCall[] RemoveRunning()
    {
        lock (_running)
        {
            var all = _running.Select(static entry => entry.Call).Concat(_mailboxes.Current.Where(static call => call.IsRunning)).Distinct().ToArray();
            _running.Clear();
            return all;
        }
    }

    private List<ObjectRef> ArgumentsOf<TCall>(MethodCall<TCall> call)
    {
        var references = new List<ObjectRef>();
        call.CollectRefs(references);
        foreach (var argument in references)
            argument.ThrowIfOfOtherCluster(_services.Cluster);
        return references;
    }

    private void ThrowIfFull()
    {
        if (Options.MaxPendingCalls is >= 0 and var limit && Pending >= limit)
            throw new PendingCallsLimitException($"Actor {Actor} has reached its MaxPendingCalls of {limit}. Wait for pending calls to complete.");
    }

    private ActorMethodPlan PlanOf(string method, string? group)
    {
        if (group is null && _lastPlan is { } last && ReferenceEquals(last.Method, method))
            return last.Plan;
        var plan = _plans.GetOrAdd((method, group), static (key, queue) => queue._mailboxes.Plan(queue.Factory.Type, key.Item1, key.Item2), this);
        if (group is null)
            _lastPlan = new(method, plan);
        return plan;
    }

    private sealed record CachedMethodPlan(string Method, ActorMethodPlan Plan);
}

/// <summary>Services of a cluster that the calls of its actors use.</summary>
/// <param name="Cluster">The cluster that the references belong to.</param>
/// <param name="NextId">Creates ids.</param>
/// <param name="Tasks">Records finished calls, and detects deadlocks.</param>
/// <param name="Threads">Runs turns.</param>
/// <param name="Logger">Receives unobserved exceptions of user code.</param>
internal sealed record ActorCallServices(RuntimeCluster Cluster, Func<ObjectId> NextId, TaskDispatcher Tasks, Action<IThreadPoolWorkItem> Threads, ILogger Logger);

/// <summary>A counter padded to its own cache line.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct PaddedCallCounter
{
    [FieldOffset(64)]
    private long _value;

    public long Value => Volatile.Read(ref _value);

    public long Increment() => Interlocked.Increment(ref _value);
}
