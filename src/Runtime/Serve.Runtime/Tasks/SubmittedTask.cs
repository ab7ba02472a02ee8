using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>
/// A task from its submission to its end: its arguments, its attempts, its code's waiting. Its phase goes forward by interlocked operations;
/// whoever moves it on does what follows.
/// </summary>
internal abstract partial class SubmittedTask(TaskPlan plan, ObjectRef reference, ObjectId? parent) : TaskContext, ITaskAttempt, IObjectProducer
{
    private const int AwaitsArguments = 0;
    private const int Queued = 1;
    private const int Running = 2;
    private const int Over = 3;

    // 0 for none: half the size of what says so itself.
    private readonly long parentNumber = parent?.Number ?? 0;
    private int phase;
    private int missing;
    private int attempt;
    private long started;
    private TaskSlot? slot;
    private TaskExtras? extras;

    public ObjectRef Reference => reference;

    public override Cluster Cluster => reference.Cluster;

    public override ObjectId TaskId => reference.Id;

    public ObjectId Id => reference.Id;

    public string Name => plan.Name;

    public RemoteFunction Function => plan.Function;

    public string? ActorId => null;

    public string Method => plan.Function.Method;

    public ObjectId? Parent => parentNumber == 0 ? null : new(parentNumber);

    public int Attempt => attempt;

    public virtual bool IsStream => false;

    public IReadOnlyList<int> GpuIds => slot?.GpuIds ?? [];

    public object? Lane => slot;

    public bool MayRetry => !Dispatcher.IsDisposed && (plan.MaxRetries < 0 || attempt <= plan.MaxRetries);

    public TaskContext? Context => this;

    public override SchedulingStrategy? InheritedScheduling => plan.Scheduling is SchedulingStrategy.InGroup { CaptureChildTasks: true } ? plan.Scheduling : null;

    public string Label => $"task {plan.Name} ({TaskId})";

    public TaskPlan Plan => plan;

    public SubmittedTask? Outer => extras?.Outer;

    public bool IsOver => Volatile.Read(ref phase) == Over;

    public CancellationToken Stop
    {
        get
        {
            lock (this)
            {
                var more = extras ??= new();
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
    protected TaskSlot Slot => slot!;

    public abstract object?[] GetArguments();

    /// <summary>Queues it when its arguments are ready.</summary>
    public void Begin()
    {
        if (HasRefs)
        {
            BeginWhenReady();
            return;
        }

        phase = Queued;
        plan.Queue.Add(this);
    }

    private void BeginWhenReady()
    {
        var references = new List<ObjectRef>(4);
        CollectRefs(references);
        foreach (var argument in references)
            argument.RequireOf(reference.Cluster);
        missing = 1;
        foreach (var argument in references)
        {
            if (argument.IsReady)
            {
                if (argument.IsFaulted)
                    EndUnstarted(argument.Error!);
                continue;
            }

            if (missing == 1)
                Dispatcher.AwaitingArguments.TryAdd(TaskId.Number, this);
            Interlocked.Increment(ref missing);
            argument.Demand(fetch: true);
            if (!argument.TryOnReady(new Argument(this, argument)))
                ArgumentReady(argument);
        }

        ArgumentReady(null);
    }

    /// <summary>Takes it out of the queue to run it; false when it is over already.</summary>
    public bool TryClaim()
    {
        if (Interlocked.CompareExchange(ref phase, Running, Queued) != Queued)
            return false;
        if (attempt == 0 || !reference.IsReady)
            return true;

        // Cancelled between two attempts.
        End(Stopwatch.GetTimestamp(), reference.Error);
        return false;
    }

    /// <summary>Runs it on this thread.</summary>
    /// <returns>False when it has not ended yet: it calls <see cref="TaskSlot.Ended"/> then.</returns>
    public bool RunHere(TaskSlot here)
    {
        slot = here;
        started = here.Clock;
        attempt++;
        Attempting();
        if (plan.Timeout is not null)
            StartTimer();
        var before = SetOnThread(this);
        var ended = Invoke();
        SetOnThread(before);
        return ended;
    }

    /// <summary>Runs it on the thread of a task that waits for it, if it has not started and there is room on the stack: that is quicker than a thread more, and needs no other CPU.</summary>
    public bool TryRunInside(SubmittedTask waiting)
    {
        if (plan.Queue != waiting.Plan.Queue || plan.Queue.IsProcess || Function.IsAsync || waiting.Function.IsAsync || waiting.IsWaiting || waiting.Slot is not { } here
            || !System.Runtime.CompilerServices.RuntimeHelpers.TryEnsureSufficientExecutionStack() || !TryClaim())
            return false;
        lock (this)
            (extras ??= new()).Outer = waiting;
        var outer = here.Switch(this);
        here.Clock = Stopwatch.GetTimestamp();
        if (!RunHere(here))
            throw new InvalidOperationException($"{Label} is not async and has not ended.");
        here.Switch(outer);
        return true;
    }

    /// <summary>Has an executor run it.</summary>
    public void RunIn(ITaskExecutor executor, TaskSlot here)
    {
        slot = here;
        started = 0;
        attempt++;
        Attempting();
        lock (this)
            (extras ??= new()).Executor = executor;
        executor.Start(this);
    }

    public void Started(string? workerId)
    {
        started = Stopwatch.GetTimestamp();
        lock (this)
            (extras ??= new()).WorkerId = workerId;
        if (plan.Timeout is not null)
            StartTimer();
    }

    public void Failed(Exception failure, bool isSystem)
    {
        var here = slot!;
        var wasWaiting = Fail(failure, isSystem);
        here.Ended(this, wasWaiting);
    }

    public bool TryGiveBack()
    {
        var here = slot!;
        if (reference.IsReady)
        {
            Failed(reference.Error ?? new OperationCanceledException($"{Label} was cancelled."), isSystem: false);
            return true;
        }

        attempt--;
        Requeue();
        here.Ended(this, wasWaiting: false);
        return true;
    }

    public abstract void Succeeded(StoredObject result);

    public virtual void Completed() => throw new InvalidOperationException($"{Label} is no stream.");

    public virtual ValueTask ItemAsync(StoredObject item) => throw new InvalidOperationException($"{Label} is no stream.");

    protected abstract bool HasRefs { get; }

    protected abstract void CollectRefs(ICollection<ObjectRef> references);

    /// <summary>Runs the code, and ends it or fails it when that is over.</summary>
    /// <returns>False when the code goes on after this.</returns>
    protected abstract bool Invoke();

    /// <summary>Another attempt begins.</summary>
    protected virtual void Attempting()
    {
    }

    /// <summary>The arguments are not needed any more.</summary>
    protected abstract void Forget();

    /// <summary>Its async method has returned before it ended.</summary>
    protected void GoesOn(Task flow)
    {
        lock (this)
            (extras ??= new()).Flow = flow;
    }

    protected override Task? Flow => extras?.Flow;

    protected override void OnBegun(RefWait wait) => Dispatcher.Deadlocks.Arm();

    protected override void Lend() => slot?.Lend();

    protected override void TakeBack(IResumable waiter)
    {
        if (slot is { } here && !IsOver)
            here.TakeBack(waiter);
        else
            waiter.Resume();
    }
}
