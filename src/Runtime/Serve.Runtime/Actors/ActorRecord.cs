namespace Serve.Runtime.Actors;

/// <summary>
/// The state of one actor, Core's or a replica, over all its incarnations. The only writer of its phase; transitions are made under its lock:
/// <code>
/// PendingCreation -> Alive       TryActivate: its constructor has completed
/// Alive           -> Restarting  TryRestart: its process died, or it was killed with a restart, and its policy allows it
/// Restarting      -> Alive       TryActivate: its constructor has completed again
/// any             -> Dead        TryDie: stopped, killed, terminated, its constructor threw, or it may not be restarted
/// </code>
/// The thread that makes the transition out of a phase does the work that follows, so that resources are released once and a death is reported once.
/// </summary>
#pragma warning disable CA1001 // The source has no timer.
public sealed class ActorRecord
#pragma warning restore CA1001
{
    private readonly Lock _sync = new();
    private readonly ActorDirectory _directory;
    private readonly CancellationTokenSource _death = new();
    private readonly TaskCompletionSource _created = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile ActorIncarnation? _incarnation;
    private volatile string? _closed;
    private ActorPhase _phase = ActorPhase.PendingCreation;
    private (string Message, Exception? Inner) _deathCause;
    private Task _starting = Task.CompletedTask;
    private int _restarts;
    private int _handles;

    /// <param name="definition">Identity and policies.</param>
    /// <param name="directory">Starts and ends the incarnations.</param>
    /// <param name="createQueue">Creates the queue of its calls; null if calls are refused instead.</param>
    public ActorRecord(ActorDefinition definition, ActorDirectory directory, Func<ActorRecord, ActorCallQueue>? createQueue = null)
    {
        Definition = definition;
        _directory = directory;
        Calls = createQueue?.Invoke(this);
    }

    public ActorDefinition Definition { get; }

    public ActorId Id => Definition.Id;

    /// <summary>The calls that wait or run; null if the admission policy refuses calls.</summary>
    public ActorCallQueue? Calls { get; }

    /// <summary>The running incarnation; null unless the actor is alive.</summary>
    public ActorIncarnation? Incarnation => _incarnation;

    /// <summary>The running incarnation, or the one that is being ended.</summary>
    public ActorIncarnation? LastIncarnation { get; private set; }

    /// <summary>Fires when the actor is dead.</summary>
    public CancellationToken DeathToken => _death.Token;

    /// <summary>Completes when the actor is alive for the first time; fails with the cause if it never is.</summary>
    public Task Created => _created.Task;

    /// <summary>Completes when the actor has ended and its resources are released.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Completes when no incarnation is being started.</summary>
    public Task Started => Volatile.Read(ref _starting);

    /// <summary>Resources that it holds; written by the directory.</summary>
    public ActorResourceHold? Resources { get; set; }

    /// <summary>Returns the resources that it holds; called by the directory.</summary>
    public void ReleaseResources()
    {
        if (Resources is { } held)
            held.Ledger.Release(held.Allocation);
        Resources = null;
    }

    /// <summary>The ledgers whose resources it waits for; null if it does not wait.</summary>
    public IReadOnlyList<ResourceLedger>? WantedLedgers { get; set; }

    /// <summary>Reason why it was lost with its process; null if it ended otherwise.</summary>
    public string? LossReason { get; private set; }

    /// <summary>Whether no new calls and handles are accepted.</summary>
    public bool IsClosed => _closed is not null;

    /// <summary>Whether it accepts no new calls and all calls have ended, so that it is about to end.</summary>
    public bool IsDone => IsClosed && (Calls?.Pending ?? 0) == 0;

    public ActorPhase Phase
    {
        get
        {
            lock (_sync)
                return _phase;
        }
    }

    public ActorState State
    {
        get
        {
            lock (_sync)
            {
                return new()
                {
                    ActorId = Id.Value,
                    ClassName = Definition.ClassName,
                    Name = Definition.Name,
                    State = _phase,
                    IsDetached = Definition.Owner == ActorOwner.Detached,
                    WorkerId = _incarnation?.WorkerId,
                    Pid = _incarnation?.Pid,
                    NumRestarts = _restarts,
                    PendingCalls = (int)(Calls?.Pending ?? 0),
                    DeathCause = _phase == ActorPhase.Dead ? _deathCause.Message : null,
                };
            }
        }
    }

    public override string ToString() => Definition.ToString();

    /// <summary>Counts another handle; returns false if the actor is ending or has ended.</summary>
    public bool TryAddHandle()
    {
        lock (_sync)
        {
            if (IsClosed)
                return false;
            _handles++;
            return true;
        }
    }

    public void ReleaseHandle()
    {
        lock (_sync)
        {
            if (--_handles > 0 || Definition.Owner != ActorOwner.Handles || IsClosed)
                return;
            _closed = $"Actor {this} has ended: its last handle was garbage collected. Keep a handle as long as the actor is needed, or create it with Detached = true.";
        }

        EndWhenDone();
    }

    /// <summary>Starts the next incarnation after <paramref name="start"/>, which is completed whether that succeeds or not.</summary>
    public void BeginStart(Task start) => Volatile.Write(ref _starting, start);

    /// <summary>Makes a started incarnation the current one.</summary>
    /// <returns>False if the actor has died or the incarnation has ended.</returns>
    public bool TryActivate(ActorIncarnation incarnation)
    {
        lock (_sync)
        {
            if (_phase is ActorPhase.Dead or ActorPhase.Alive || incarnation.ExitReason is not null)
                return false;
            _phase = ActorPhase.Alive;
            LastIncarnation = incarnation;
            _incarnation = incarnation;
        }

        _created.TrySetResult();
        Calls?.OnAlive();
        return true;
    }

    /// <summary>Starts the next incarnation if the restart policy allows it and the actor is still needed.</summary>
    /// <param name="reason">Human-readable reason.</param>
    /// <param name="lost">The incarnation that ended; null for one that was never activated.</param>
    /// <returns>False if the actor must die.</returns>
    public bool TryRestart(string reason, ActorIncarnation? lost)
    {
        lock (_sync)
        {
            if (_phase == ActorPhase.Dead || (lost is not null && lost != _incarnation))
                return _phase != ActorPhase.Dead;
            if (!MayRestart)
                return false;
            _restarts++;
            _phase = ActorPhase.Restarting;
            _incarnation = null;
            Calls?.Pause();
        }

        Calls?.RetryRunning(
            $"Actor {this} died while the call was running: {reason}. The actor is being restarted. The call may have partially executed; set MaxTaskRetries to retry it automatically.");
        ActorDirectory.Start(this, lost);
        return true;
    }

    /// <summary>Ends the actor permanently; waiting and running calls fail.</summary>
    /// <param name="message">Human-readable cause of death.</param>
    /// <param name="inner">The exception that caused it.</param>
    /// <param name="drain">How long ongoing calls of the incarnation may take.</param>
    /// <param name="kill">Whether the process of the incarnation is killed.</param>
    /// <param name="loss">Reason why the incarnation was lost with its process.</param>
    /// <param name="failure">What <see cref="Created"/> fails with; null for the death itself.</param>
    /// <param name="cancellationToken">Cuts the drain short.</param>
    /// <returns>False if the actor was dead already.</returns>
    public bool TryDie(
        string message, Exception? inner, TimeSpan drain, bool kill = false, string? loss = null, Exception? failure = null, CancellationToken cancellationToken = default)
    {
        ActorIncarnation? last;
        lock (_sync)
        {
            if (_phase == ActorPhase.Dead)
                return false;
            _phase = ActorPhase.Dead;
            _deathCause = (message, inner);
            _closed = message;
            last = _incarnation;
            _incarnation = null;
            LossReason = last is null ? null : loss;
        }

        _death.Cancel();
        _directory.OnDead(this);
        if (_created.TrySetException(failure ?? DeathException()))
            _ = _created.Task.Exception;
        Calls?.OnDead();
        _directory.End(this, last, drain, kill, cancellationToken);
        return true;
    }

    /// <summary>Handles the unexpected end of an incarnation.</summary>
    public void OnLost(ActorIncarnation lost, string reason)
    {
        if (_incarnation == lost && !TryRestart($"its worker died. {reason}", lost))
        {
            TryDie(
                $"Actor {this} is dead: its worker process died{(Definition.Restart.IsNever ? "" : $" after {_restarts} restart(s)")}. {reason}",
                null, TimeSpan.Zero, kill: true, loss: reason);
        }
    }

    /// <summary>Handles the end of an incarnation that was never activated.</summary>
    public void OnStartLost(string reason)
    {
        if (!TryRestart(reason, lost: null))
        {
            TryDie(
                $"Actor {this} is dead: its worker died before the actor was created. {reason}", null, TimeSpan.Zero,
                failure: new ActorCreationException(Id, $"The worker of actor {Id} exited: {reason}"));
        }
    }

    public void Kill(bool noRestart)
    {
        const string Reason = "it was killed";
        var current = _incarnation;

        // An incarnation that is being started already is the restarted one; starting another would create the actor twice.
        if (noRestart || !(current is null ? MayRestart : TryRestart(Reason, current)))
            TryDie($"Actor {this} is dead: {Reason}.", null, TimeSpan.Zero, kill: true);
    }

    public Task Terminate()
    {
        _closed ??= $"Actor {this} has ended: it was terminated.";
        EndWhenDone();
        return Ended;
    }

    /// <summary>Ends the actor if it accepts no new calls and all calls have ended.</summary>
    public void EndWhenDone()
    {
        if (IsDone && _closed is { } message)
            ThreadPool.UnsafeQueueUserWorkItem(static end => end.Actor.TryDie(end.message, null, ActorDirectory.IdleDrain), (Actor: this, message), preferLocal: false);
    }

    /// <summary>Returns calls to the mailboxes unless the actor is dead.</summary>
    internal bool TryPutBack(IEnumerable<IPendingActorCall> calls)
    {
        lock (_sync)
        {
            if (_phase == ActorPhase.Dead)
                return false;
            ActorMailboxSet.PutBack(calls);
            return true;
        }
    }

    public void OnEnded() => _ended.TrySetResult();

    public ActorDiedException DeathException()
    {
        lock (_sync)
            return _phase == ActorPhase.Dead ? new(_deathCause.Message, _deathCause.Inner) : new(_closed ?? $"Actor {this} is dead.");
    }

    private bool MayRestart => !IsDone && Definition.Restart.Allows(Volatile.Read(ref _restarts));
}
