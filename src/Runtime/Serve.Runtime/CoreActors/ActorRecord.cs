using System.Collections.Concurrent;
using Serve.Calls;
using Serve.Runtime.Clusters;
using Serve.Runtime.Placement;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>
/// One actor of Core for all its lives. The moves of its phase are made under its lock:
/// <code>
/// PendingCreation -> Alive       its constructor has run
/// Alive           -> Restarting  its process died, or Kill(noRestart: false); while MaxRestarts lasts
/// Restarting      -> Alive       its constructor has run again
/// any             -> Dead        killed, terminated, its constructor threw, or it died once too often
/// </code>
/// Calls lie in its mailboxes, which are paused while it is not alive, and so keep their order over restarts.
/// </summary>
#pragma warning disable CA1001 // The source has no timer.
internal sealed class ActorRecord
#pragma warning restore CA1001
{
    private readonly Lock _sync = new();
    private readonly ActorDirectory _table;
    private readonly DriverCluster _cluster;
    private readonly ActorMailboxSet _mailboxes;
    private readonly ActorMethodTable _methods;
    private readonly ObjectRef<bool> _created;
    private readonly ConcurrentDictionary<(string, string?), ActorMethodPlan> _plans = new();
    private readonly HashSet<(IPendingActorCall Call, int Attempt)> _running = [];
    private readonly CancellationTokenSource _gone = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _beingBroughtUp;
    private PaddedCallCounter _submitted;
    private PaddedCallCounter _settled;
    private CachedMethodPlan? _lastPlan;
    private volatile ActorIncarnation? _runner;
    private volatile string? _closed;
    private ActorPhase _phase = ActorPhase.PendingCreation;
    private (string Message, Exception? Inner) _death;
    private int _restarts;
    private int _handles;

    public ActorRecord(ActorDirectory table, DriverCluster cluster, ActorInstanceFactory construct, ResolvedActorOptions settings)
    {
        this._table = table;
        this._cluster = cluster;
        Construct = construct;
        Settings = settings;
        var number = cluster.NextId();
        Id = new(number.ToString());
        Address = new(number.Number, settings.Name, settings.MaxPendingCalls >= 0);
        _methods = ActorMethodTable.For(construct.Type);
        _created = new(cluster, number);
        Waits = new(this);
        _mailboxes = new(
            settings.IsProcess ? ConcurrencyMode.TurnBased : settings.Concurrency,
            settings.IsProcess ? int.MaxValue : settings.MaxConcurrency,
            settings.Groups, table.Logger, table.Threads);
        _mailboxes.Pause();
    }

    public ActorId Id { get; }

    /// <summary>How it is found from other processes.</summary>
    public ActorHandleDescriptor Address { get; }

    public Cluster Cluster => _cluster;

    public TaskDispatcher Tasks => _cluster.Tasks;

    /// <summary>Its calls whose code waits.</summary>
    public ActorWaitTracker Waits { get; }

    public ResolvedActorOptions Settings { get; }

    public ActorInstanceFactory Construct { get; }

    public ActorMethodTable Methods => _methods;

    public ActorMailboxSet Mailboxes => _mailboxes;

    public bool IsProcess => Settings.IsProcess;

    public ObjectRef Created => _created;

    /// <summary>What runs its calls; null unless it is alive.</summary>
    public ActorIncarnation? Runner => _runner;

    /// <summary>Fires when it is dead.</summary>
    public CancellationToken DeathToken => _gone.Token;

    /// <summary>What it holds from its first life to its end; written by whoever brings it up.</summary>
    public ActorResourceHold? Resources { get; set; }

    /// <summary>The ledgers that it waits for its resources from; null when it does not.</summary>
    public IReadOnlyList<ResourceLedger>? Wanted { get; set; }

    public ObjectId NextId() => _cluster.NextId();

    public Task NotBeingBroughtUp => Volatile.Read(ref _beingBroughtUp)?.Task ?? Task.CompletedTask;

    public long Pending => _submitted.Value - _settled.Value;

    /// <summary>Whether nobody can call it any more and nothing that was called is left: it is about to end.</summary>
    public bool IsDone => _closed is not null && Pending == 0;

    public ActorState State
    {
        get
        {
            lock (_sync)
            {
                return new()
                {
                    ActorId = Id.Value,
                    ClassName = Construct.Type.Name,
                    Name = Settings.Name,
                    State = _phase,
                    IsDetached = Settings.IsDetached,
                    WorkerId = _runner?.WorkerId,
                    Pid = _runner?.Pid,
                    NumRestarts = _restarts,
                    PendingCalls = (int)Pending,
                    DeathCause = _phase == ActorPhase.Dead ? _death.Message : null,
                };
            }
        }
    }

    public override string ToString() => Settings.Name is { } name ? $"{Construct.Type.Name} '{name}' ({Id})" : $"{Construct.Type.Name} ({Id})";

    /// <summary>Counts one more handle; false when the actor is about to end, or has.</summary>
    public bool TryAddHandle()
    {
        lock (_sync)
        {
            if (_closed is not null)
                return false;
            _handles++;
            return true;
        }
    }

    /// <summary>One more handle, which may be to an actor that is about to end.</summary>
    public IActorHandleLink NewHandle()
    {
        TryAddHandle();
        return Construct.HandleTo(this);
    }

    public void ReleaseHandle()
    {
        lock (_sync)
        {
            if (--_handles > 0 || Settings.IsDetached || _closed is not null)
                return;
            _closed = $"Actor {this} has ended: its last handle was collected. Hold a handle for as long as it is needed, or create it with Detached = true.";
        }

        EndWhenIdle();
    }

    public ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options) => Submit(call, options, ActorCallOrigin.Here);

    public ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options, ActorCallOrigin origin)
    {
        _cluster.ThrowIfDisposed();
        var plan = PlanOf(call.Method, options?.ConcurrencyGroup);
        RefuseOverLimit();
        var extras = options is null && origin.Parent is null ? null : new ActorCallDetails(options, origin.Parent);
        var made = new UnaryActorCall<TResult>(this, origin.Id ?? _cluster.NextId(), plan, extras, call);
        Begin(made, call, plan, origin);
        return made;
    }

    public BufferedObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options) =>
        SubmitStream(call, options, ActorCallOrigin.Here);

    public BufferedObjectRefStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options, ActorCallOrigin origin)
    {
        _cluster.ThrowIfDisposed();
        var plan = PlanOf(call.Method, options?.ConcurrencyGroup);
        RefuseOverLimit();
        var made = new StreamingActorCall<TItem>(this, origin.Id ?? _cluster.NextId(), _cluster, plan, new(options, origin.Parent), call);
        Begin(made, call, plan, origin);
        return made.Items;
    }

    private void Begin<TCall>(IPendingActorCall made, MethodCall<TCall> call, ActorMethodPlan plan, ActorCallOrigin origin)
    {
        var arguments = call.HasRefs || plan.Lanes.Any ? ArgumentsOf(call) : null;
        made.Reference.Producer = (IObjectProducer)made;
        _submitted.Increment();
        if (_closed is not null)
            made.Fail(DeathNow());
        else if (arguments is not null)
            PostInOrder(made, arguments, origin);
        else
            plan.Turns.Post(made);
    }

    /// <summary>A call was taken out and could not be started: it waits for the next life, or fails when there is none.</summary>
    public void Return(IPendingActorCall call)
    {
        lock (_sync)
        {
            if (_phase != ActorPhase.Dead)
            {
                ActorMailboxSet.PutBack([call]);
                return;
            }
        }

        call.Fail(DeathNow());
    }

    public void OnSettled(in FinishedTaskRecord call)
    {
        _cluster.Tasks.FinishedTasks.Add(call);
        _settled.Increment();
        if (_closed is not null)
            EndWhenIdle();
    }

    /// <summary>Its calls that wait or run, as far as they can be counted quickly.</summary>
    public IEnumerable<IPendingActorCall> Calls
    {
        get
        {
            const int Most = 10_000;
            lock (_running)
                return [.. _mailboxes.Waiting(Most).Concat(_running.Select(entry => entry.Call)).Concat(_mailboxes.Current).Distinct().Where(call => !call.Reference.IsReady)];
        }
    }

    /// <summary>Adds the dependencies of an actor that has not started: its constructor's arguments and its resources.</summary>
    public void AddDependencies(object since, ICollection<ObjectDependency> dependencies)
    {
        if (Construct.Arguments is { Count: > 0 } arguments)
            ObjectDependency.AddRequired(dependencies, this, arguments, arguments.Count, untilFault: true);
        if (Settings.Scheduling is SchedulingStrategy.InGroup { Group: ReservedPlacementGroup { IsReserved: false } group })
            group.AddTo(dependencies);
        else if (Wanted is { Count: 1 } ledgers)
            WaitingResourceHolder.AddDependencies(dependencies, Tasks.WaitingHolders, since, ledgers, Settings.Demand, queue: null);
    }

    /// <summary>A call goes on after its first turn.</summary>
    /// <returns>Its life's gate, to be left; null when that is closed.</returns>
    public ConcurrencyLimiter? Enter(ActorIncarnation with, IPendingActorCall call, int attempt)
    {
        lock (_running)
            _running.Add((call, attempt));
        return with.Gate is { } gate && gate.TryEnter() ? gate : null;
    }

    public void Exit(ConcurrencyLimiter? gate, IPendingActorCall call, int attempt)
    {
        lock (_running)
            _running.Remove((call, attempt));
        gate?.Exit();
    }

    public void Kill(bool noRestart)
    {
        const string Reason = "it was killed";
        var life = _runner;

        // A life that is being begun is the next one already: beginning one more beside it would make the actor twice.
        if (noRestart || !(life is null ? HasLifeLeft : TryRestart(Reason, life)))
            Die($"Actor {this} is dead: {Reason}.", null, TimeSpan.Zero, kill: true);
    }

    public Task Terminate()
    {
        _closed ??= $"Actor {this} has ended: it was terminated.";
        EndWhenIdle();
        return _ended.Task;
    }

    /// <summary>The process of one of its lives has ended by itself.</summary>
    public void OnDied(ActorIncarnation life, string reason)
    {
        if (_runner == life && !TryRestart($"its worker died. {reason}", life))
            Die($"Actor {this} is dead: its worker died{(Settings.MaxRestarts > 0 ? $" and it was made again {_restarts} time(s) already" : "")}. {reason}", null, TimeSpan.Zero, kill: true);
    }

    /// <summary>Its own code asks to end.</summary>
    public void ExitFromInside(IPendingActorCall call)
    {
        Die($"Actor {this} has ended: it ended itself in {call.Title}.", null, TimeSpan.Zero);
        call.Fail(DeathNow());
    }

    /// <summary>Its constructor has run, in a process that now answers calls.</summary>
    /// <returns>Whether it is wanted still.</returns>
    public bool TryLive(ActorIncarnation made)
    {
        lock (_sync)
        {
            if (_phase is ActorPhase.Dead or ActorPhase.Alive || made.EndedBecause is not null)
                return false;
            _phase = ActorPhase.Alive;
            _runner = made;
        }

        _created.TrySetResult(true);
        _mailboxes.Resume();
        return true;
    }

    /// <summary>Ends one life and begins the next, where there is one left and someone has use for it.</summary>
    /// <param name="reason">Why, for people.</param>
    /// <param name="life">The life that ended; null for one that never came to be.</param>
    public bool TryRestart(string reason, ActorIncarnation? life)
    {
        lock (_sync)
        {
            if (_phase == ActorPhase.Dead || (life is not null && life != _runner))
                return _phase != ActorPhase.Dead;
            if (!HasLifeLeft)
                return false;
            _restarts++;
            _phase = ActorPhase.Restarting;
            _runner = null;
            _mailboxes.Pause();
        }

        var failure = new ActorDiedException(
            $"Actor {this} died while the call was on it: {reason}. It is made again; the call may have run in part. MaxTaskRetries would have it sent again.");
        var again = TakeRunning().Where(call => call.TryGoBack(failure)).ToArray();
        lock (_sync)
        {
            if (_phase != ActorPhase.Dead)
            {
                ActorMailboxSet.PutBack(again);
                again = [];
            }
        }

        foreach (var call in again)
            call.Fail(DeathNow());
        _table.BringUp(this, life);
        return true;
    }

    /// <summary>Ends it for good: what waits and runs fails.</summary>
    public void Die(string message, Exception? inner, TimeSpan drain, bool kill = false)
    {
        ActorIncarnation? last;
        lock (_sync)
        {
            if (_phase == ActorPhase.Dead)
                return;
            _phase = ActorPhase.Dead;
            _death = (message, inner);
            _closed = message;
            last = _runner;
            _runner = null;
        }

        _gone.Cancel();
        _table.OnDead(this);
        _created.TrySetException(DeathNow());
        foreach (var call in TakeRunning().Concat(_mailboxes.RemoveAll()))
            call.Fail(DeathNow());

        // What comes in at this moment is taken out and fails.
        _mailboxes.Resume();
        ActorDirectory.TakeDown(this, last, drain, kill);
    }

    /// <summary>A life of it is being begun; to be completed when that has worked or not.</summary>
    public TaskCompletionSource BeginBringUp()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _beingBroughtUp, begun);
        return begun;
    }

    /// <summary>Nothing of it is left.</summary>
    public void OnEnded() => _ended.TrySetResult();

    /// <summary>Completes when nothing of it is left.</summary>
    public Task Ended => _ended.Task;

    private ActorDiedException DeathNow()
    {
        lock (_sync)
            return _phase == ActorPhase.Dead ? new(_death.Message, _death.Inner) : new(_closed ?? $"Actor {this} is dead.");
    }

    private bool HasLifeLeft => !IsDone && (Settings.MaxRestarts < 0 || Volatile.Read(ref _restarts) < Settings.MaxRestarts);

    private void EndWhenIdle()
    {
        if (IsDone && _closed is { } message)
            ThreadPool.UnsafeQueueUserWorkItem(static end => end.Actor.Die(end.message, null, ActorDirectory.Patient), (Actor: this, message), preferLocal: false);
    }

    private IPendingActorCall[] TakeRunning()
    {
        lock (_running)
        {
            var all = _running.Select(entry => entry.Call).Concat(_mailboxes.Current.Where(call => call.IsRunning)).Distinct().ToArray();
            _running.Clear();
            return all;
        }
    }

    private List<ObjectRef> ArgumentsOf<TCall>(MethodCall<TCall> call)
    {
        var references = new List<ObjectRef>();
        call.CollectRefs(references);
        foreach (var argument in references)
            argument.ThrowIfOfOtherCluster(_cluster);
        return references;
    }

    private void PostInOrder(IPendingActorCall made, List<ObjectRef> arguments, ActorCallOrigin origin)
    {
        made.Plan.Lanes.Post(made, origin.Caller ?? _cluster, arguments);

        // It may have died meanwhile, and with it the lanes.
        if (_closed is not null && Runner is null)
            Return(made);
    }

    private void RefuseOverLimit()
    {
        if (Settings.MaxPendingCalls is >= 0 and var limit && Pending >= limit)
            throw new PendingCallsLimitException($"Actor {this} has {limit} calls that wait or run, as many as its MaxPendingCalls allows. Wait for some of them first.");
    }

    private ActorMethodPlan PlanOf(string method, string? group)
    {
        if (group is null && _lastPlan is { } last && ReferenceEquals(last.Method, method))
            return last.Plan;
        var plan = _plans.GetOrAdd((method, group), static (key, actor) => actor._mailboxes.Plan(actor.Construct.Type, key.Item1, key.Item2), this);
        if (group is null)
            _lastPlan = new(method, plan);
        return plan;
    }

    private sealed record CachedMethodPlan(string Method, ActorMethodPlan Plan);
}
