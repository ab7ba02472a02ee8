using System.Diagnostics;
using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;

namespace Serve.Runtime.CoreActors;

/// <summary>
/// One call: the ref to its result, its link in the mailbox and its attempts in one object. Who brings it from waiting to running, or back,
/// owns what follows; it is settled once, by whoever is first.
/// </summary>
internal abstract class PendingActorCall<TResult>(ActorRecord actor, ObjectId id, ActorMethodPlan plan, ActorCallDetails? extras)
    : ObjectRef<TResult>(actor.Cluster, id), IPendingActorCall, IObjectProducer
{
    private const int Waiting = 0;
    private const int Running = 1;

    private ActorCallDetails? _extras = extras;
    private ActorCallTaskContext? _context;
    private long _started;
    private int _state;
    private int _told;

    IMailboxCall? IMailboxCall.Next { get; set; }

    public long Order => Id.Number;

    public bool IsBlocking => plan.IsBlocking && !actor.IsProcess;

    public ObjectRef Reference => this;

    public ActorMethodPlan Plan => plan;

    public string Title => _extras?.Options?.Name is { } name ? $"{name} ({Method})" : Method;

    public bool IsRunning => Volatile.Read(ref _state) == Running;

    public ActorRecord Actor => actor;

    protected ActorCallDetails? Extras => Volatile.Read(ref _extras);

    /// <summary>What its token fires for: cancellation, timeout, the actor's end.</summary>
    public CancellationToken Stop => ExtrasNow().Stop;

    /// <summary>The code of an attempt that runs in a worker.</summary>
    public TaskContext BeginContext(int attempt)
    {
        var made = new ActorCallTaskContext(this);
        if (attempt == Attempt)
            Volatile.Write(ref _context, made);
        else
            made.Ended();
        return made;
    }

    public ObjectId? Parent => Extras?.Parent?.TaskId;

    public string Method => plan.Method;

    public virtual bool IsStream => false;

    public abstract object?[] GetArguments();

    /// <summary>A worker has sent an item of a stream.</summary>
    public virtual ValueTask TakeItemAsync(StoredObject item, int index) => ValueTask.CompletedTask;

    private int Attempt => Extras?.Retries ?? 0;

    void IMailboxCall.Run()
    {
        if (IsReady)
        {
            // Whoever made it ready need not have been one of its own.
            OnSettled(Error);
            return;
        }

        if (Interlocked.CompareExchange(ref _state, Running, Waiting) != Waiting)
            return;
        if (actor.Runner is { } runner)
            Start(runner);
        else if (Interlocked.CompareExchange(ref _state, Waiting, Running) == Running)
            actor.Return(this);
    }

    public void Fail(Exception failure)
    {
        if (!TrySetException(failure))
            return;
        Extras?.Cancel();
        OnSettled(failure);
    }

    public bool TryGoBack(Exception failure)
    {
        var mayGo = MayRetry;
        if (mayGo)
        {
            Extras?.Cancel();
            Renew();
        }

        if (IsReady || Interlocked.CompareExchange(ref _state, Waiting, Running) != Running)
            return false;
        if (!mayGo)
            Fail(failure);
        return mayGo;
    }

    public FinishedTaskRecord Describe() => Describe(IsReady ? Error : null);

    private FinishedTaskRecord Describe(Exception? error)
    {
        var ended = IsReady ? Stopwatch.GetTimestamp() : 0;
        if (ended != 0)
            plan.Turns.Clock = ended;
        return new()
        {
            Id = Id.Number,
            Parent = Extras?.Parent?.TaskId.Number ?? 0,
            Name = Extras?.Options?.Name ?? plan.Name,
            Function = plan.Name,
            ActorId = actor.Id.Value,
            WorkerId = actor.Runner?.WorkerId,
            State = ended == 0 ? IsRunning ? TaskPhase.Running : TaskPhase.PendingScheduling
                : error is null ? TaskPhase.Finished
                : error is OperationCanceledException ? TaskPhase.Cancelled
                : TaskPhase.Failed,
            Attempt = Attempt + 1,
            Started = _started,
            Ended = ended,
            Error = error,
        };
    }

    void IObjectProducer.AddDependencies(ICollection<ObjectDependency> dependencies)
    {
        if (IsRunning)
        {
            // A timeout ends the call in any case.
            if (Extras?.Options?.Timeout is not null)
                return;
            Volatile.Read(ref _context)?.AddWaits(dependencies);

            // The call may still be queued in the worker's mailbox.
            if (actor.IsProcess && actor.Runner is { } life)
                actor.Waits.AddDependencies(this, (life, Attempt), dependencies);
            return;
        }

        if (plan.Lanes.Any)
        {
            var arguments = new List<ObjectRef>();
            CollectRefs(arguments);
            ObjectDependency.AddRequired(dependencies, this, arguments, arguments.Count);
        }

        if (actor.Runner is { } runner)
            actor.Waits.AddDependencies(this, (runner, Attempt), dependencies);
        else
            actor.AddDependencies(Attempt, dependencies);
    }

    void IObjectProducer.Cancel(bool force, bool recursive) => Cancel();

    string IObjectProducer.Label => $"call {plan.Name} of actor {actor} ({Id})";

    /// <summary>The refs that stand for arguments.</summary>
    protected abstract void CollectRefs(ICollection<ObjectRef> references);

    public void Cancel() => Fail(new OperationCanceledException($"Call {Title} of actor {actor} was cancelled."));

    protected override void TryProduceInline()
    {
        if (plan.Turns is TurnBasedScheduler { IsQuick: true } turns && TaskContext.Current is null && SynchronizationContext.Current is null && !actor.IsProcess)
            turns.RunTurnsUntil(this);
    }

    /// <summary>Runs user code; what it throws comes out as it is.</summary>
    protected abstract ValueTask<TResult> Invoke(ActorCallInvoker invoker, CancellationToken token);

    /// <summary>It is settled: whoever keeps the ref to its result keeps no arguments with it.</summary>
    protected virtual void Forget()
    {
    }

    private bool MayRetry => (Extras?.Options?.MaxTaskRetries ?? actor.Settings.MaxTaskRetries) is var limit && (limit < 0 || Attempt < limit);

    private void Start(ActorIncarnation runner)
    {
        var attempt = Attempt;
        _started = plan.Turns.Clock;
        if (runner is WorkerActorIncarnation remote)
        {
            Send(remote, attempt);
            return;
        }

        var token = plan.TakesToken || IsStream ? ExtrasNow().Stop : Extras?.Options?.Timeout is null ? default : Extras!.Stop;
        if (Extras?.Options?.Timeout is { } timeout)
            Limit(timeout, attempt);
        if (IsReady)
            Extras?.Cancel();
        var context = this._context = new(this);
        var before = TaskContext.SetOnThread(context);
        ValueTask<TResult> pending;
        try
        {
            // Before the code runs, since awaits keep what they see then; the turn's end undoes it.
            if (plan.IsAsync)
                TaskContext.SetFlowing(context);
            pending = Invoke(((LocalActorIncarnation)runner).Invoker, token);
        }
        catch (Exception thrown)
        {
            Failed(thrown, attempt);
            return;
        }
        finally
        {
            TaskContext.SetOnThread(before);
        }

        if (pending.IsCompletedSuccessfully)
            Succeeded(pending.Result, attempt);
        else
            Await(pending, context, runner, attempt);
    }

    /// <summary>A worker has answered.</summary>
    public void OnRemoteEnd(int attempt, StoredObject? result, Exception? failure)
    {
        actor.Exit(null, this, attempt);
        if (failure is not null)
            Failed(failure is UserCodeException { ExceptionType: var type } && type == typeof(ActorExitException).FullName ? new ActorExitException() : failure, attempt);
        else if (attempt == Attempt && (result is null ? TrySetResult(default!) : TrySetStored(result)))
            OnSettled(null);
    }

    /// <summary>Its worker died before the actor knew that the call was there.</summary>
    public void OnLost(int attempt, string reason)
    {
        actor.Exit(null, this, attempt);
        if (attempt == Attempt && IsRunning && TryGoBack(new ActorDiedException($"Actor {actor} died while the call was on it: {reason}")))
            actor.Return(this);
    }

    private void Send(WorkerActorIncarnation remote, int attempt)
    {
        if (Extras?.Options?.Timeout is { } timeout)
            Limit(timeout, attempt);
        actor.Enter(remote, this, attempt);
        remote.Send(new RemoteCallAttempt<TResult>(this, remote, attempt));
    }

    private void Await(ValueTask<TResult> pending, ActorCallTaskContext context, ActorIncarnation runner, int attempt)
    {
        plan.Turns.BeginOngoing();
        var whole = pending.AsTask();
        context.SetAsyncCode(whole);
        var gate = actor.Enter(runner, this, attempt);

        // Not awaited: the end of user code runs in its turn, where an await's continuation would be sent to another thread.
        whole.ContinueWith(static (task, state) =>
        {
            var (call, gate, attempt) = ((PendingActorCall<TResult>, ConcurrencyLimiter?, int))state!;
            try
            {
                if (task.IsCompletedSuccessfully)
                    call.Succeeded(task.Result, attempt);
                else
                    call.Failed(task.Exception?.InnerException ?? new OperationCanceledException("The call cancelled itself."), attempt);
            }
            finally
            {
                call.Actor.Exit(gate, call, attempt);
                call.Plan.Turns.EndOngoing();
            }
        }, (this, gate, attempt), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Succeeded(TResult result, int attempt)
    {
        if (attempt != Attempt)
            return;
        OnSettled(TrySetResult(result) ? null : Error);
    }

    private void Failed(Exception thrown, int attempt)
    {
        if (attempt != Attempt || IsReady)
            return;
        if (thrown is ActorExitException)
        {
            actor.ExitFromInside(this);
            return;
        }

        if (MayRetry && AsksForRetry(ref thrown))
        {
            Renew();
            if (Interlocked.CompareExchange(ref _state, Waiting, Running) == Running)
                actor.Return(this);
            return;
        }

        Fail(thrown switch
        {
            PlatformCallException fault => fault.Cause,
            ServeException known => known,
            _ => new UserCodeException(thrown),
        });
    }

    private bool AsksForRetry(ref Exception thrown)
    {
        try
        {
            return thrown is not PlatformCallException && RetryExceptionFilter.Matches(thrown, Extras?.Options?.RetryOn, actor.Settings.RetryOn, actor.Construct.Type);
        }
        catch (Exception failed)
        {
            // The user's own choice of what to retry on failed: that is told with what it was asked about.
            thrown = new AggregateException($"RetryOn of call {Title} of actor {actor} threw.", failed, thrown);
            return false;
        }
    }

    private void Limit(TimeSpan timeout, int attempt) => ExtrasNow().Timer = TimeProvider.System.CreateTimer(_ =>
    {
        if (attempt == Attempt)
            Fail(new RequestTimeoutException($"Call {Title} of actor {actor} ran longer than its timeout, {DurationTextFormat.Of(timeout)}, and was cancelled."));
    }, null, timeout, Timeout.InfiniteTimeSpan);

    private void Renew()
    {
        var kept = ExtrasNow();
        kept.Timer?.Dispose();
        Interlocked.Exchange(ref _context, null)?.Ended();
        kept.Renew();
        kept.Retries++;
    }

    private ActorCallDetails ExtrasNow()
    {
        if (Extras is { } there)
            return there;
        Interlocked.CompareExchange(ref _extras, new(null, null), null);
        return _extras;
    }

    /// <param name="failure">How it ended, whatever became of its result: that may be freed already.</param>
    private void OnSettled(Exception? failure)
    {
        if (Interlocked.Exchange(ref _told, 1) != 0)
            return;
        Extras?.Timer?.Dispose();
        if (_context is { } over)
        {
            _context = null;
            over.Ended();
        }

        Forget();
        actor.OnSettled(Describe(failure));
    }
}
