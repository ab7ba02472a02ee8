using System.Diagnostics;
using Serve.Runtime.Tasks;
using Serve.Runtime.Turns;

namespace Serve.Runtime.Actors;

/// <summary>
/// A call of an actor: the reference to its result, its node in the mailbox list and its attempts, in one object.
/// </summary>
/// <remarks>
/// Concurrency. <c>_state</c> is Waiting (in the mailbox) or Running; both transitions are compare-exchange operations, and the thread that succeeds continues the call.
/// The result is set once (first of result, failure, cancellation, timeout). Reports of an attempt other than the current one are ignored by its number.
/// </remarks>
internal abstract class PendingActorCall<TResult>(ActorCallQueue queue, ObjectId id, ActorMethodPlan plan, ActorCallDetails? details)
    : ObjectRef<TResult>(queue.Cluster, id), IPendingActorCall, IObjectProducer
{
    private const int Waiting = 0;
    private const int Running = 1;

    private ActorCallDetails? _details = details;
    private ActorCallTaskContext? _context;
    private long _started;
    private int _state;
    private int _isReported;

    IMailboxCall? IMailboxCall.Next { get; set; }

    public long Order => Id.Number;

    public bool IsBlocking => plan.IsBlocking && !queue.IsProcess;

    public ObjectRef Reference => this;

    public ActorMethodPlan Plan => plan;

    public string Title => _details?.Options?.Name is { } name ? $"{name} ({Method})" : Method;

    public bool IsRunning => Volatile.Read(ref _state) == Running;

    public ActorCallQueue Queue => queue;

    protected ActorCallDetails? Details => Volatile.Read(ref _details);

    /// <summary>Fires when the call is canceled, times out, or its actor dies.</summary>
    public CancellationToken Stop => EnsureDetails().Stop;

    /// <summary>Creates the context of an attempt that runs in a worker.</summary>
    public TaskContext BeginContext(int attempt)
    {
        var made = new ActorCallTaskContext(this);
        if (attempt == Attempt)
            Volatile.Write(ref _context, made);
        else
            made.Ended();
        return made;
    }

    public ObjectId? Parent => Details?.Parent?.TaskId;

    public string Method => plan.Method;

    public virtual bool IsStream => false;

    public virtual int ItemWindow => 0;

    public abstract object?[] GetArguments();

    /// <summary>Stores an item of the stream that a worker has sent.</summary>
    public virtual ValueTask TakeItemAsync(StoredObject item, int index) => ValueTask.CompletedTask;

    private int Attempt => Details?.Retries ?? 0;

    void IMailboxCall.Run()
    {
        if (IsReady)
        {
            // The result may have been set from outside, for example by freeing it.
            ReportCompletion(Error);
            return;
        }

        if (Interlocked.CompareExchange(ref _state, Running, Waiting) != Waiting)
            return;
        if (queue.Actor.Incarnation is { } incarnation)
            Start(incarnation);
        else if (Interlocked.CompareExchange(ref _state, Waiting, Running) == Running)
            queue.Return(this);
    }

    public void Fail(Exception failure)
    {
        if (!TrySetException(failure))
            return;
        Details?.Cancel();
        ReportCompletion(failure);
    }

    public bool TryPrepareRetry(Exception failure)
    {
        var mayRetry = MayRetry;
        if (mayRetry)
        {
            Details?.Cancel();
            BeginNextAttempt();
        }

        if (IsReady || Interlocked.CompareExchange(ref _state, Waiting, Running) != Running)
            return false;
        if (!mayRetry)
            Fail(failure);
        return mayRetry;
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
            Parent = Details?.Parent?.TaskId.Number ?? 0,
            Name = Details?.Options?.Name ?? plan.Name,
            Function = plan.Name,
            ActorId = queue.Actor.Id.Value,
            WorkerId = queue.Actor.Incarnation?.WorkerId,
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
            if (Details?.Options?.Timeout is not null)
                return;
            Volatile.Read(ref _context)?.AddWaits(dependencies);

            // The call may still be queued in the worker's mailbox.
            if (queue.IsProcess && queue.Actor.Incarnation is { } current)
                queue.Waits.AddDependencies(this, (current, Attempt), dependencies);
            return;
        }

        if (plan.Lanes.Any)
        {
            var arguments = new List<ObjectRef>();
            CollectRefs(arguments);
            ObjectDependency.AddRequired(dependencies, this, arguments, arguments.Count);
        }

        if (queue.Actor.Incarnation is { } incarnation)
            queue.Waits.AddDependencies(this, (incarnation, Attempt), dependencies);
        else
            queue.AddCreationDependencies(Attempt, dependencies);
    }

    void IObjectProducer.Cancel(bool force, bool recursive) => Cancel();

    string IObjectProducer.Label => $"call {plan.Name} of actor {queue.Actor} ({Id})";

    /// <summary>Collects the references that stand for arguments.</summary>
    protected abstract void CollectRefs(ICollection<ObjectRef> references);

    public void Cancel() => Fail(new OperationCanceledException($"Call {Title} of actor {queue.Actor} was canceled."));

    protected override void TryProduceInline()
    {
        if (plan.Turns is TurnBasedScheduler { IsQuick: true } turns && TaskContext.Current is null && SynchronizationContext.Current is null && !queue.IsProcess)
            turns.RunTurnsUntil(this);
    }

    /// <summary>Runs user code; its exceptions are thrown unchanged.</summary>
    protected abstract ValueTask<TResult> Invoke(ActorCallInvoker invoker, CancellationToken token);

    /// <summary>Releases the arguments of a completed call, so that the reference to the result does not keep them alive.</summary>
    protected virtual void ReleaseArguments()
    {
    }

    private bool MayRetry => (Details?.Options?.MaxTaskRetries ?? queue.Options.MaxTaskRetries) is var limit && (limit < 0 || Attempt < limit);

    private void Start(ActorIncarnation incarnation)
    {
        var attempt = Attempt;
        _started = plan.Turns.Clock;
        if (incarnation is WorkerActorIncarnation remote)
        {
            Send(remote, attempt);
            return;
        }

        var token = plan.TakesToken || IsStream ? EnsureDetails().Stop : Details?.Options?.Timeout is null ? default : Details!.Stop;
        if (Details?.Options?.Timeout is { } timeout)
            StartTimeout(timeout, attempt);
        if (IsReady)
            Details?.Cancel();
        var context = _context = new(this);
        var before = TaskContext.SetOnThread(context);
        ValueTask<TResult> pending;
        try
        {
            // Set before the code runs, because awaits capture it; undone at the end of the turn.
            if (plan.IsAsync)
                TaskContext.SetFlowing(context);
            var watched = IsStream ? null : queue.Tasks.Check?.Begin(plan.Name, GetArguments());
            var invoker = ((LocalActorIncarnation)incarnation).Invoker;
            pending = watched is null ? Invoke(invoker, token) : watched.CompleteAsync(Invoke(invoker, token));
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
            Await(pending, context, incarnation, attempt);
    }

    /// <summary>Handles the answer of a worker.</summary>
    public void OnRemoteEnd(int attempt, StoredObject? result, Exception? failure)
    {
        queue.Exit(null, this, attempt);
        if (failure is not null)
            Failed(failure is UserCodeException { ExceptionType: var type } && type == typeof(ActorExitException).FullName ? new ActorExitException() : failure, attempt);
        else if (attempt == Attempt && (result is null ? TrySetResult(default!) : TrySetStored(result)))
            ReportCompletion(null);
    }

    /// <summary>Handles the loss of a call whose worker died before the actor had registered the call as running.</summary>
    public void OnLost(int attempt, string reason)
    {
        queue.Exit(null, this, attempt);
        if (attempt == Attempt && IsRunning && TryPrepareRetry(new ActorDiedException($"Actor {queue.Actor} died while the call was running: {reason}")))
            queue.Return(this);
    }

    private void Send(WorkerActorIncarnation remote, int attempt)
    {
        if (Details?.Options?.Timeout is { } timeout)
            StartTimeout(timeout, attempt);
        queue.Enter(remote, this, attempt);
        remote.Send(new RemoteCallAttempt<TResult>(this, remote, attempt));
    }

    private void Await(ValueTask<TResult> pending, ActorCallTaskContext context, ActorIncarnation incarnation, int attempt)
    {
        plan.Turns.BeginOngoing();
        var whole = pending.AsTask();
        context.SetAsyncCode(whole);
        var limiter = queue.Enter(incarnation, this, attempt);

        // ContinueWith instead of await: the end of user code runs inside a turn, where an await would post the continuation to another thread.
        whole.ContinueWith(static (task, state) =>
        {
            var (call, limiter, attempt) = ((PendingActorCall<TResult>, ConcurrencyLimiter?, int))state!;
            try
            {
                if (task.IsCompletedSuccessfully)
                    call.Succeeded(task.Result, attempt);
                else
                    call.Failed(task.Exception?.InnerException ?? new OperationCanceledException("The call canceled itself."), attempt);
            }
            finally
            {
                call.Queue.Exit(limiter, call, attempt);
                call.Plan.Turns.EndOngoing();
            }
        }, (this, limiter, attempt), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Succeeded(TResult result, int attempt)
    {
        if (attempt != Attempt)
            return;
        ReportCompletion(TrySetResult(result) ? null : Error);
    }

    private void Failed(Exception thrown, int attempt)
    {
        if (attempt != Attempt || IsReady)
            return;
        if (thrown is ActorExitException)
        {
            queue.EndFromInside(this);
            return;
        }

        if (MayRetry && MatchesRetryOn(ref thrown))
        {
            BeginNextAttempt();
            if (Interlocked.CompareExchange(ref _state, Waiting, Running) == Running)
                queue.Return(this);
            return;
        }

        Fail(thrown switch
        {
            PlatformCallException fault => fault.Cause,
            ServeException known => known,
            _ => new UserCodeException(thrown),
        });
    }

    private bool MatchesRetryOn(ref Exception thrown)
    {
        try
        {
            return thrown is not PlatformCallException && RetryExceptionFilter.Matches(thrown, Details?.Options?.RetryOn, queue.Options.RetryOn, queue.Factory.Type);
        }
        catch (Exception failed)
        {
            // The user's RetryOn delegate threw: both exceptions are reported.
            thrown = new AggregateException($"RetryOn of call {Title} of actor {queue.Actor} threw an exception.", failed, thrown);
            return false;
        }
    }

    private void StartTimeout(TimeSpan timeout, int attempt) => EnsureDetails().Timer = TimeProvider.System.CreateTimer(_ =>
    {
        if (attempt == Attempt)
            Fail(new RequestTimeoutException($"Call {Title} of actor {queue.Actor} exceeded its timeout of {DurationTextFormat.Of(timeout)} and was canceled."));
    }, null, timeout, Timeout.InfiniteTimeSpan);

    private void BeginNextAttempt()
    {
        var kept = EnsureDetails();
        kept.Timer?.Dispose();
        Interlocked.Exchange(ref _context, null)?.Ended();
        kept.BeginNextAttempt();
        kept.Retries++;
    }

    private ActorCallDetails EnsureDetails()
    {
        if (Details is { } there)
            return there;
        Interlocked.CompareExchange(ref _details, new(null, null), null);
        return _details;
    }

    /// <param name="failure">The outcome of the call; its result may already have been freed.</param>
    private void ReportCompletion(Exception? failure)
    {
        if (Interlocked.Exchange(ref _isReported, 1) != 0)
            return;
        Details?.Timer?.Dispose();
        if (_context is { } over)
        {
            _context = null;
            over.Ended();
        }

        ReleaseArguments();
        queue.OnCompleted(Describe(failure));
    }
}
