using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>
/// A task from its submission to its end: its arguments, its attempts, its code's waiting. Its phase goes forward by interlocked operations;
/// whoever moves it on does what follows.
/// </summary>
internal abstract partial class TaskExecution(TaskExecutionPlan plan, ObjectRef reference, ObjectId? parent) : TaskContext, ITaskAttempt, IObjectProducer
{
    private const int AwaitsArguments = 0;
    private const int Queued = 1;
    private const int Running = 2;
    private const int Finished = 3;

    // 0 for none: half the size of what says so itself.
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

    /// <summary>The slot it runs in.</summary>
    protected ResourceLease Lease => _slot!;

    public abstract object?[] GetArguments();

    /// <summary>Queues it when its arguments are ready.</summary>
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

    /// <summary>Takes it out of the queue to run it; false when it is over already.</summary>
    public bool TryClaim()
    {
        if (Interlocked.CompareExchange(ref _phase, Running, Queued) != Queued)
            return false;
        if (_attempt == 0 || !reference.IsReady)
            return true;

        // Cancelled between two attempts.
        Finish(Stopwatch.GetTimestamp(), reference.Error);
        return false;
    }

    /// <summary>Runs it on this thread.</summary>
    /// <returns>False when it has not ended yet: it calls <see cref="ResourceLease.OnTaskEnded"/> then.</returns>
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

    /// <summary>Runs it on the thread of a task that waits for it, if it has not started and there is room on the stack: that is quicker than a thread more, and needs no other CPU.</summary>
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
            throw new InvalidOperationException($"{Label} is not async and has not ended.");
        here.SwitchCurrent(outer);
        return true;
    }

    /// <summary>Has an executor run it.</summary>
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
            ReportFailure(reference.Error ?? new OperationCanceledException($"{Label} was cancelled."), isSystem: false);
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

    /// <summary>Runs the code, and ends it or fails it when that is over.</summary>
    /// <returns>False when the code goes on after this.</returns>
    protected abstract bool Invoke();

    /// <summary>Another attempt begins.</summary>
    protected virtual void OnAttemptStarting()
    {
    }

    /// <summary>The arguments are not needed any more.</summary>
    protected abstract void ReleaseArguments();

    /// <summary>Its async method has returned before it ended.</summary>
    protected void SetAsyncCode(Task flow)
    {
        lock (this)
            (_extras ??= new()).Flow = flow;
    }

    protected override Task? Flow => _extras?.Flow;

    protected override void OnWaitStarted(ObjectRefWait wait) => Dispatcher.Deadlocks.Arm();

    protected override void ReleaseCpu() => _slot?.ReleaseCpu();

    protected override void ReacquireCpu(IResumable waiter)
    {
        if (_slot is { } here && !IsFinished)
            here.ReacquireCpu(waiter);
        else
            waiter.Resume();
    }
}
