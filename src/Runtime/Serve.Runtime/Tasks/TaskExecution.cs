using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>Execution of a task from submission to completion: its arguments, attempts and waits.</summary>
/// <remarks>
/// Lock-free phases, changed by compare-and-swap; the thread that makes a transition performs its consequences:
///
///   AwaitsArguments ──last argument ready──▶ Queued ──TryClaim──▶ Running ──Finish──▶ Finished
///         │                                    │  ▲                 │
///         └──────────FailUnstarted─────────────┘  └─────Requeue─────┘   (retry, or an executor returned the attempt)
///                         ▼
///                      Finished
///
/// Invariants: exactly one of TryClaim and FailUnstarted leaves Queued. The reference is completed at most once (its own compare-and-swap); a canceled task fails its
/// reference first, so the code of a Running task may outlive it. Fields of an attempt (_slot, _started, _attempt) are written only by the thread that made the last
/// transition; other threads read them for listings and for the deadlock detector, which tolerate an older value.
/// </remarks>
internal abstract partial class TaskExecution(TaskExecutionPlan plan, ObjectRef reference, ObjectId? parent) : TaskContext, ITaskAttempt, IObjectProducer
{
    private const int AwaitsArguments = 0;
    private const int Queued = 1;
    private const int Running = 2;
    private const int Finished = 3;

    // 0 if there is none: half the size of a nullable id.
    private readonly long _parentNumber = parent?.Number ?? 0;
    private int _phase;
    private int _missing;
    private int _attempt;
    private long _started;
    private ResourceLease? _slot;
    private TaskExecutionExtras? _extras;

    public ObjectRef Reference => reference;

    public override Cluster Cluster => reference.Cluster;

    public override ObjectId TaskId => reference.Id;

    public ObjectId Id => reference.Id;

    public string Name => plan.Name;

    public RemoteFunction Function => plan.Function;

    public string? ActorId => null;

    public string Method => plan.Function.Method;

    public ObjectId? Parent => _parentNumber == 0 ? null : new(_parentNumber);

    public int Attempt => _attempt;

    public virtual bool IsStream => false;

    public virtual int ItemWindow => 0;

    public IReadOnlyList<int> GpuIds => _slot?.GpuIds ?? [];

    public object? Pipeline => _slot;

    public bool MayRetry => !Dispatcher.IsDisposed && (plan.MaxRetries < 0 || _attempt <= plan.MaxRetries);

    public TaskContext? Context => this;

    public override SchedulingStrategy? InheritedScheduling => plan.Scheduling is SchedulingStrategy.InGroup { CaptureChildTasks: true } ? plan.Scheduling : null;

    public string Label => $"task {plan.Name} ({TaskId})";

    public TaskExecutionPlan Plan => plan;

    public TaskExecution? OuterTask => _extras?.Outer;

    public bool IsFinished => Volatile.Read(ref _phase) == Finished;

    public CancellationToken StopToken
    {
        get
        {
            lock (this)
            {
                var more = _extras ??= new();
                if (more.Stop is null)
                {
                    more.Stop = new();
                    if (more.IsCancelled)
                        more.Stop.Cancel();
                }

                return more.Stop.Token;
            }
        }
    }

    protected TaskDispatcher Dispatcher => plan.Dispatcher;

    /// <summary>Resource lease that the task runs on.</summary>
    protected ResourceLease Lease => _slot!;

    public abstract object?[] GetArguments();

    /// <summary>Enqueues the task as soon as its arguments are ready.</summary>
    public void EnqueueWhenReady()
    {
        if (HasRefs)
        {
            AwaitArguments();
            return;
        }

        _phase = Queued;
        plan.Queue.Enqueue(this);
    }

    private void AwaitArguments()
    {
        var references = new List<ObjectRef>(4);
        CollectRefs(references);
        foreach (var argument in references)
            argument.ThrowIfOfOtherCluster(reference.Cluster);
        _missing = 1;
        foreach (var argument in references)
        {
            if (argument.IsReady)
            {
                if (argument.IsFaulted)
                    FailUnstarted(argument.Error!);
                continue;
            }

            if (_missing == 1)
                Dispatcher.AwaitingArguments.TryAdd(TaskId.Number, this);
            Interlocked.Increment(ref _missing);
            argument.RequestObject(fetch: true);
            if (!argument.TryAddContinuation(new PendingArgumentContinuation(this, argument)))
                OnArgumentReady(argument);
        }

        OnArgumentReady(null);
    }

    /// <summary>Claims the task for execution; false if it has been canceled.</summary>
    public bool TryClaim()
    {
        if (Interlocked.CompareExchange(ref _phase, Running, Queued) != Queued)
            return false;
        if (_attempt == 0 || !reference.IsReady)
            return true;

        // Canceled between two attempts.
        Finish(Stopwatch.GetTimestamp(), reference.Error);
        return false;
    }

    /// <summary>Runs the task on this thread.</summary>
    /// <returns>False if it has not finished; it then calls <see cref="ResourceLease.OnTaskEnded"/> later.</returns>
    public bool RunOnCurrentThread(ResourceLease here)
    {
        _slot = here;
        _started = here.LastEndTimestamp;
        _attempt++;
        OnAttemptStarting();
        if (plan.Timeout is not null)
            StartTimer();
        var before = SetOnThread(this);
        var ended = Invoke();
        SetOnThread(before);
        return ended;
    }

    /// <summary>
    /// Runs the task on the thread of a task that waits for it, if it has not started and the stack is deep enough. This is faster than another thread and
    /// needs no second CPU.
    /// </summary>
    public bool TryRunInline(TaskExecution waiting)
    {
        if (plan.Queue != waiting.Plan.Queue || plan.Queue.RunsInWorker || Function.IsAsync || waiting.Function.IsAsync || waiting.IsWaiting || waiting.Lease is not { } here
            || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack() || !TryClaim())
            return false;
        lock (this)
            (_extras ??= new()).Outer = waiting;
        var outer = here.SwitchCurrent(this);
        here.LastEndTimestamp = Stopwatch.GetTimestamp();
        if (!RunOnCurrentThread(here))
            throw new InvalidOperationException($"{Label} is synchronous but has not finished.");
        here.SwitchCurrent(outer);
        return true;
    }

    /// <summary>Starts the task on an executor.</summary>
    public void RunOn(ITaskExecutor executor, ResourceLease here)
    {
        _slot = here;
        _started = 0;
        _attempt++;
        OnAttemptStarting();
        lock (this)
            (_extras ??= new()).Executor = executor;
        executor.Start(this);
    }

    public void ReportStarted(string? workerId)
    {
        _started = Stopwatch.GetTimestamp();
        lock (this)
            (_extras ??= new()).WorkerId = workerId;
        if (plan.Timeout is not null)
            StartTimer();
    }

    public void ReportFailure(Exception failure, bool isSystem)
    {
        var here = _slot!;
        var wasWaiting = Fail(failure, isSystem);
        here.OnTaskEnded(this, wasWaiting);
    }

    public bool TryRequeue()
    {
        var here = _slot!;
        if (reference.IsReady)
        {
            ReportFailure(reference.Error ?? new OperationCanceledException($"{Label} was canceled."), isSystem: false);
            return true;
        }

        _attempt--;
        Requeue();
        here.OnTaskEnded(this, wasWaiting: false);
        return true;
    }

    public abstract void ReportResult(StoredObject result);

    public virtual void ReportStreamEnd() => throw new InvalidOperationException($"{Label} is no stream.");

    public virtual ValueTask ReportItemAsync(StoredObject item) => throw new InvalidOperationException($"{Label} is no stream.");

    protected abstract bool HasRefs { get; }

    protected abstract void CollectRefs(ICollection<ObjectRef> references);

    /// <summary>Runs the code and completes the task if the code has finished.</summary>
    /// <returns>False if the code continues asynchronously.</returns>
    protected abstract bool Invoke();

    /// <summary>Called before each attempt.</summary>
    protected virtual void OnAttemptStarting()
    {
    }

    /// <summary>Releases the arguments when they are no longer needed.</summary>
    protected abstract void ReleaseArguments();

    /// <summary>Records the async code of the task after its method has returned without completing.</summary>
    protected void SetAsyncCode(Task flow)
    {
        lock (this)
            (_extras ??= new()).AsyncCode = flow;
    }

    protected override Task? AsyncCode => _extras?.AsyncCode;

    protected override void OnWaitStarted(ObjectRefWait wait) => Dispatcher.OnWaitStarted();

    protected override void ReleaseCpu() => _slot?.ReleaseCpu();

    protected override void ReacquireCpu(IResumable waiter)
    {
        if (_slot is { } here && !IsFinished)
            here.ReacquireCpu(waiter);
        else
            waiter.Resume();
    }
}
