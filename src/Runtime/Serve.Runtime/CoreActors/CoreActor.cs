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
internal sealed class CoreActor
#pragma warning restore CA1001
{
    private readonly Lock sync = new();
    private readonly ActorTable table;
    private readonly HeadCluster cluster;
    private readonly ActorMailboxes mailboxes;
    private readonly MethodTable methods;
    private readonly ObjectRef<bool> created;
    private readonly ConcurrentDictionary<(string, string?), MethodPlan> plans = new();
    private readonly HashSet<(IActorCall Call, int Attempt)> running = [];
    private readonly CancellationTokenSource gone = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? beingBroughtUp;
    private CallCount submitted;
    private CallCount settled;
    private LastPlan? lastPlan;
    private volatile ActorRunner? runner;
    private volatile string? closed;
    private ActorPhase phase = ActorPhase.PendingCreation;
    private (string Message, Exception? Inner) death;
    private int restarts;
    private int handles;

    public CoreActor(ActorTable table, HeadCluster cluster, ActorConstruct construct, ActorSettings settings)
    {
        this.table = table;
        this.cluster = cluster;
        Construct = construct;
        Settings = settings;
        var number = cluster.NextId();
        Id = new(number.ToString());
        Address = new(number.Number, settings.Name, settings.MaxPendingCalls >= 0);
        methods = MethodTable.For(construct.Type);
        created = new(cluster, number);
        Waits = new(this);
        mailboxes = new(
            settings.IsProcess ? ConcurrencyMode.TurnBased : settings.Concurrency,
            settings.IsProcess ? int.MaxValue : settings.MaxConcurrency,
            settings.Groups, table.Logger, table.Threads);
        mailboxes.Pause();
    }

    public ActorId Id { get; }

    /// <summary>How it is found from other processes.</summary>
    public ActorAddress Address { get; }

    public Cluster Cluster => cluster;

    public TaskDispatcher Tasks => cluster.Tasks;

    /// <summary>Its calls whose code waits.</summary>
    public ActorWaits Waits { get; }

    public ActorSettings Settings { get; }

    public ActorConstruct Construct { get; }

    public MethodTable Methods => methods;

    public ActorMailboxes Mailboxes => mailboxes;

    public bool IsProcess => Settings.IsProcess;

    public ObjectRef Created => created;

    /// <summary>What runs its calls; null unless it is alive.</summary>
    public ActorRunner? Runner => runner;

    /// <summary>Fires when it is dead.</summary>
    public CancellationToken Gone => gone.Token;

    /// <summary>What it holds from its first life to its end; written by whoever brings it up.</summary>
    public HeldResources? Resources { get; set; }

    /// <summary>The ledgers that it waits for its resources from; null when it does not.</summary>
    public IReadOnlyList<ResourceLedger>? Wanted { get; set; }

    public ObjectId NextId() => cluster.NextId();

    public Task NotBeingBroughtUp => Volatile.Read(ref beingBroughtUp)?.Task ?? Task.CompletedTask;

    public long Pending => submitted.Value - settled.Value;

    /// <summary>Whether nobody can call it any more and nothing that was called is left: it is about to end.</summary>
    public bool IsDone => closed is not null && Pending == 0;

    public ActorState State
    {
        get
        {
            lock (sync)
            {
                return new()
                {
                    ActorId = Id.Value,
                    ClassName = Construct.Type.Name,
                    Name = Settings.Name,
                    State = phase,
                    IsDetached = Settings.IsDetached,
                    WorkerId = runner?.WorkerId,
                    Pid = runner?.Pid,
                    NumRestarts = restarts,
                    PendingCalls = (int)Pending,
                    DeathCause = phase == ActorPhase.Dead ? death.Message : null,
                };
            }
        }
    }

    public override string ToString() => Settings.Name is { } name ? $"{Construct.Type.Name} '{name}' ({Id})" : $"{Construct.Type.Name} ({Id})";

    /// <summary>Counts one more handle; false when the actor is about to end, or has.</summary>
    public bool TryAddHandle()
    {
        lock (sync)
        {
            if (closed is not null)
                return false;
            handles++;
            return true;
        }
    }

    /// <summary>One more handle, which may be to an actor that is about to end.</summary>
    public IActorLink NewHandle()
    {
        TryAddHandle();
        return Construct.HandleTo(this);
    }

    public void OnHandleGone()
    {
        lock (sync)
        {
            if (--handles > 0 || Settings.IsDetached || closed is not null)
                return;
            closed = $"Actor {this} has ended: its last handle was collected. Hold a handle for as long as it is needed, or create it with Detached = true.";
        }

        EndWhenIdle();
    }

    public ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options) => Submit(call, options, CallOrigin.Here);

    public ObjectRef<TResult> Submit<TResult>(MethodCall<TResult> call, ActorCallOptions? options, CallOrigin origin)
    {
        cluster.ThrowIfDisposed();
        var plan = PlanOf(call.Method, options?.ConcurrencyGroup);
        RefuseOverLimit();
        var extras = options is null && origin.Parent is null ? null : new CallExtras(options, origin.Parent);
        var made = new ActorCall<TResult>(this, origin.Id ?? cluster.NextId(), plan, extras, call);
        Begin(made, call, plan, origin);
        return made;
    }

    public ItemStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options) =>
        SubmitStream(call, options, CallOrigin.Here);

    public ItemStream<TItem> SubmitStream<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, ActorCallOptions? options, CallOrigin origin)
    {
        cluster.ThrowIfDisposed();
        var plan = PlanOf(call.Method, options?.ConcurrencyGroup);
        RefuseOverLimit();
        var made = new ActorStreamCall<TItem>(this, origin.Id ?? cluster.NextId(), cluster, plan, new(options, origin.Parent), call);
        Begin(made, call, plan, origin);
        return made.Items;
    }

    private void Begin<TCall>(IActorCall made, MethodCall<TCall> call, MethodPlan plan, CallOrigin origin)
    {
        var arguments = call.HasRefs || plan.Lanes.Any ? ArgumentsOf(call) : null;
        made.Reference.Producer = (IObjectProducer)made;
        submitted.Increment();
        if (closed is not null)
            made.Fail(DeathNow());
        else if (arguments is not null)
            PostInOrder(made, arguments, origin);
        else
            plan.Turns.Post(made);
    }

    /// <summary>A call was taken out and could not be started: it waits for the next life, or fails when there is none.</summary>
    public void Return(IActorCall call)
    {
        lock (sync)
        {
            if (phase != ActorPhase.Dead)
            {
                ActorMailboxes.PutBack([call]);
                return;
            }
        }

        call.Fail(DeathNow());
    }

    public void OnSettled(in EndedTask call)
    {
        cluster.Tasks.Log.Add(call);
        settled.Increment();
        if (closed is not null)
            EndWhenIdle();
    }

    /// <summary>Its calls that wait or run, as far as they can be counted quickly.</summary>
    public IEnumerable<IActorCall> Calls
    {
        get
        {
            const int Most = 10_000;
            lock (running)
                return [.. mailboxes.Waiting(Most).Concat(running.Select(entry => entry.Call)).Concat(mailboxes.Current).Distinct().Where(call => !call.Reference.IsReady)];
        }
    }

    /// <summary>Adds what it needs before it can answer any call: its constructor's arguments, its resources.</summary>
    public void AddNeedsOfLife(object since, ICollection<ObjectNeed> needs)
    {
        if (Construct.Arguments is { Count: > 0 } arguments)
            needs.Add(new NeedOfRefs(this, arguments, arguments.Count, untilFault: true));
        if (Settings.Scheduling is SchedulingStrategy.InGroup { Group: ReservedGroup { IsReserved: false } group })
            needs.Add(group.Need);
        else if (Wanted is { } ledgers && Tasks.Deadlocks.Holders is { Count: > 0 } holders)
            needs.Add(new NeedOfResources(since, ledgers, Settings.Demand, queue: null, holders));
    }

    /// <summary>A call goes on after its first turn.</summary>
    /// <returns>Its life's gate, to be left; null when that is closed.</returns>
    public ActorGate? Enter(ActorRunner with, IActorCall call, int attempt)
    {
        lock (running)
            running.Add((call, attempt));
        return with.Gate is { } gate && gate.TryEnter() ? gate : null;
    }

    public void Exit(ActorGate? gate, IActorCall call, int attempt)
    {
        lock (running)
            running.Remove((call, attempt));
        gate?.Exit();
    }

    public void Kill(bool noRestart)
    {
        const string Reason = "it was killed";
        var life = runner;

        // A life that is being begun is the next one already: beginning one more beside it would make the actor twice.
        if (noRestart || !(life is null ? HasLifeLeft : TryRestart(Reason, life)))
            Die($"Actor {this} is dead: {Reason}.", null, TimeSpan.Zero, kill: true);
    }

    public Task Terminate()
    {
        closed ??= $"Actor {this} has ended: it was terminated.";
        EndWhenIdle();
        return ended.Task;
    }

    /// <summary>The process of one of its lives has ended by itself.</summary>
    public void OnDied(ActorRunner life, string reason)
    {
        if (runner == life && !TryRestart($"its worker died. {reason}", life))
            Die($"Actor {this} is dead: its worker died{(Settings.MaxRestarts > 0 ? $" and it was made again {restarts} time(s) already" : "")}. {reason}", null, TimeSpan.Zero, kill: true);
    }

    /// <summary>Its own code asks to end.</summary>
    public void ExitFromInside(IActorCall call)
    {
        Die($"Actor {this} has ended: it ended itself in {call.Title}.", null, TimeSpan.Zero);
        call.Fail(DeathNow());
    }

    /// <summary>Its constructor has run, in a process that now answers calls.</summary>
    /// <returns>Whether it is wanted still.</returns>
    public bool TryLive(ActorRunner made)
    {
        lock (sync)
        {
            if (phase is ActorPhase.Dead or ActorPhase.Alive || made.EndedBecause is not null)
                return false;
            phase = ActorPhase.Alive;
            runner = made;
        }

        created.TrySetResult(true);
        mailboxes.Resume();
        return true;
    }

    /// <summary>Ends one life and begins the next, where there is one left and someone has use for it.</summary>
    /// <param name="reason">Why, for people.</param>
    /// <param name="life">The life that ended; null for one that never came to be.</param>
    public bool TryRestart(string reason, ActorRunner? life)
    {
        lock (sync)
        {
            if (phase == ActorPhase.Dead || (life is not null && life != runner))
                return phase != ActorPhase.Dead;
            if (!HasLifeLeft)
                return false;
            restarts++;
            phase = ActorPhase.Restarting;
            runner = null;
            mailboxes.Pause();
        }

        var failure = new ActorDiedException(
            $"Actor {this} died while the call was on it: {reason}. It is made again; the call may have run in part. MaxTaskRetries would have it sent again.");
        var again = TakeRunning().Where(call => call.TryGoBack(failure)).ToArray();
        lock (sync)
        {
            if (phase != ActorPhase.Dead)
            {
                ActorMailboxes.PutBack(again);
                again = [];
            }
        }

        foreach (var call in again)
            call.Fail(DeathNow());
        table.BringUp(this, life);
        return true;
    }

    /// <summary>Ends it for good: what waits and runs fails.</summary>
    public void Die(string message, Exception? inner, TimeSpan drain, bool kill = false)
    {
        ActorRunner? last;
        lock (sync)
        {
            if (phase == ActorPhase.Dead)
                return;
            phase = ActorPhase.Dead;
            death = (message, inner);
            closed = message;
            last = runner;
            runner = null;
        }

        gone.Cancel();
        table.OnDead(this);
        created.TrySetException(DeathNow());
        foreach (var call in TakeRunning().Concat(mailboxes.Steal()))
            call.Fail(DeathNow());

        // What comes in at this moment is taken out and fails.
        mailboxes.Resume();
        ActorTable.TakeDown(this, last, drain, kill);
    }

    /// <summary>A life of it is being begun; to be completed when that has worked or not.</summary>
    public TaskCompletionSource BeginBringUp()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref beingBroughtUp, begun);
        return begun;
    }

    /// <summary>Nothing of it is left.</summary>
    public void OnEnded() => ended.TrySetResult();

    /// <summary>Completes when nothing of it is left.</summary>
    public Task Ended => ended.Task;

    private ActorDiedException DeathNow()
    {
        lock (sync)
            return phase == ActorPhase.Dead ? new(death.Message, death.Inner) : new(closed ?? $"Actor {this} is dead.");
    }

    private bool HasLifeLeft => !IsDone && (Settings.MaxRestarts < 0 || Volatile.Read(ref restarts) < Settings.MaxRestarts);

    private void EndWhenIdle()
    {
        if (IsDone && closed is { } message)
            ThreadPool.UnsafeQueueUserWorkItem(static end => end.Actor.Die(end.message, null, ActorTable.Patient), (Actor: this, message), preferLocal: false);
    }

    private IActorCall[] TakeRunning()
    {
        lock (running)
        {
            var all = running.Select(entry => entry.Call).Concat(mailboxes.Current.Where(call => call.IsRunning)).Distinct().ToArray();
            running.Clear();
            return all;
        }
    }

    private List<ObjectRef> ArgumentsOf<TCall>(MethodCall<TCall> call)
    {
        var references = new List<ObjectRef>();
        call.CollectRefs(references);
        foreach (var argument in references)
            argument.RequireOf(cluster);
        return references;
    }

    private void PostInOrder(IActorCall made, List<ObjectRef> arguments, CallOrigin origin)
    {
        made.Plan.Lanes.Post(made, origin.Caller ?? cluster, arguments);

        // It may have died meanwhile, and with it the lanes.
        if (closed is not null && Runner is null)
            Return(made);
    }

    private void RefuseOverLimit()
    {
        if (Settings.MaxPendingCalls is >= 0 and var limit && Pending >= limit)
            throw new PendingCallsLimitException($"Actor {this} has {limit} calls that wait or run, as many as its MaxPendingCalls allows. Wait for some of them first.");
    }

    private MethodPlan PlanOf(string method, string? group)
    {
        if (group is null && lastPlan is { } last && ReferenceEquals(last.Method, method))
            return last.Plan;
        var plan = plans.GetOrAdd((method, group), static (key, actor) => actor.mailboxes.Plan(actor.Construct.Type, key.Item1, key.Item2), this);
        if (group is null)
            lastPlan = new(method, plan);
        return plan;
    }

    private sealed record LastPlan(string Method, MethodPlan Plan);
}
