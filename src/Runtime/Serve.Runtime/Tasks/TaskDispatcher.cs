using System.Collections.Concurrent;
using Serve.Calls;
using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Takes tasks in, and gives them resources and threads: in the order of their priority, then of their submission, except that what finds
/// room may pass what does not for a while. Which queues wait, which slots there are and who waits for a CPU back is written under its lock.
/// </summary>
internal sealed partial class TaskDispatcher : IAsyncDisposable
{
    private readonly Cluster _cluster;
    private readonly Func<ObjectId> _nextId;
    private readonly TaskPlanCache _plans;
    private readonly Lock _sync = new();
    private readonly List<ResourceLease> _slots = [];
    private readonly HashSet<TaskQueue> _queues = [];
    private Func<ITaskExecutor>? _makeWorkers;
    private ITaskExecutor? _workers;
    private ConcurrentDictionary<long, TaskExecution>? _awaitingArguments;
    private volatile bool _isDisposed;

    /// <summary>Makes one; no thread is started before the first task.</summary>
    /// <param name="cluster">The cluster its refs belong to.</param>
    /// <param name="nextId">Makes ids.</param>
    /// <param name="ledgers">Where resources come from.</param>
    /// <param name="threads">What tasks of this process run on; disposed by who made it.</param>
    /// <param name="options">The cluster's.</param>
    /// <param name="time">The clock of timeouts.</param>
    public TaskDispatcher(Cluster cluster, Func<ObjectId> nextId, SchedulingLedgerResolver ledgers, TaskThreadPool threads, ClusterOptions options, TimeProvider time)
    {
        this._cluster = cluster;
        this._nextId = nextId;
        _plans = new(this, ledgers, options.Isolation);
        Threads = threads;
        Context = new(threads);
        Time = time;
        FinishedTasks = new(options.TaskHistory, time);
    }

    public TaskThreadPool Threads { get; }

    /// <summary>Where the code of async tasks goes on.</summary>
    public TaskSynchronizationContext Context { get; }

    public TimeProvider Time { get; }

    /// <summary>What ended last; actors write their calls into it too.</summary>
    public FinishedTaskLog FinishedTasks { get; }

    public bool IsDisposed => _isDisposed;

    /// <summary>What runs tasks in workers.</summary>
    public ITaskExecutor Workers => _workers ?? Interlocked.CompareExchange(ref _workers, CreateWorkers(), null) ?? _workers;

    /// <summary>Tasks that wait for an argument, by id.</summary>
    public ConcurrentDictionary<long, TaskExecution> AwaitingArguments =>
        Volatile.Read(ref _awaitingArguments) ?? Interlocked.CompareExchange(ref _awaitingArguments, new(), null) ?? _awaitingArguments;

    /// <summary>Where tasks go whose isolation is a process; made with the first of them.</summary>
    public void SetWorkerFactory(Func<ITaskExecutor> make) => _makeWorkers = make;

    /// <summary>Starts a task.</summary>
    /// <param name="function">Its function.</param>
    /// <param name="call">Its arguments.</param>
    /// <param name="options">How it is to run.</param>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = _plans.GetPlan(function, options, context?.InheritedScheduling);
        var reference = new ObjectRef<TResult>(_cluster, _nextId());
        Start(plan, reference, call, context?.Cluster == _cluster ? context.TaskId : null);
        return reference;
    }

    /// <summary>Starts several tasks that are to run at the same time.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what they ask for.</exception>
    public ObjectRef<TResult>[] Submit<TResult>(RemoteFunction function, int count, Func<MethodCall<TResult>> makeCall, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = _plans.GetPlan(function, options, context?.InheritedScheduling);
        ObjectId? parent = context?.Cluster == _cluster ? context.TaskId : null;

        // Nobody is woken before the last is there: a thread that wakes up on the caller's processor keeps the caller from it until the first task is over.
        var isFirst = plan.Queue.TryBeginPoll();
        try
        {
            var references = new ObjectRef<TResult>[count];
            for (var i = 0; i < count; i++)
                Start(plan, references[i] = new(_cluster, _nextId()), makeCall(), parent);
            return references;
        }
        finally
        {
            if (isFirst)
                plan.Queue.EndPoll();
        }
    }

    /// <summary>Starts a task that streams.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = _plans.GetPlan(function, options, context?.InheritedScheduling);
        var task = new StreamingTaskExecution<TItem>(plan, new(_cluster, _nextId()), context?.Cluster == _cluster ? context.TaskId : null, call, _nextId);
        Start(task);
        return task.Items;
    }

    /// <summary>Starts a task whose ref is there already: one that a task in a worker submits, under an id of its own.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public void Submit<TResult>(ObjectRef<TResult> reference, RemoteFunction function, MethodCall<TResult> call, TaskOptions? options, ITaskAttempt? parent)
    {
        ThrowIfDisposed();
        Start(_plans.GetPlan(function, options, parent?.Context?.InheritedScheduling), reference, call, parent?.Id);
    }

    /// <summary>The same for a task that streams, whose end is the ref's.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public ObjectRefStream<TItem> SubmitStream<TItem>(
        ObjectRef<TItem> completion, RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options, ITaskAttempt? parent)
    {
        ThrowIfDisposed();
        var task = new StreamingTaskExecution<TItem>(_plans.GetPlan(function, options, parent?.Context?.InheritedScheduling), completion, parent?.Id, call, _nextId);
        Start(task);
        return task.Items;
    }

    /// <summary>Starts a task once more whose result was lost.</summary>
    /// <returns>The ref of what it makes now.</returns>
    public ObjectRef<TResult> Resubmit<TResult>(TaskExecutionPlan plan, MethodCall<TResult> call, ObjectId? parent)
    {
        var reference = new ObjectRef<TResult>(_cluster, _nextId());
        Start(plan, reference, call, parent);
        return reference;
    }

    /// <summary>Told whose children are cancelled, and whether by force: for the actors' calls among them.</summary>
    public event Action<ObjectId, bool>? CancellingChildren;

    /// <summary>Cancels the tasks and calls that a task, or an actor's call, has started.</summary>
    public void CancelChildren(ObjectId parent, bool force)
    {
        CancellingChildren?.Invoke(parent, force);
        foreach (var task in ListUnfinished())
        {
            if (task.Parent == parent)
                task.Cancel(force, recursive: true);
        }
    }

    /// <summary>Tasks that have not ended.</summary>
    public List<TaskExecution> ListUnfinished()
    {
        var live = new List<TaskExecution>();
        lock (_sync)
        {
            foreach (var queue in _queues)
                live.AddRange(queue.Tasks);
            foreach (var slot in _slots)
                slot.AddTasks(live);
        }

        if (Volatile.Read(ref _awaitingArguments) is { } awaiting)
            live.AddRange(awaiting.Values);
        live.RemoveAll(static task => task.IsFinished);
        return live;
    }

    /// <summary>Tasks that have not ended and those that ended last, by id.</summary>
    public IReadOnlyList<TaskState> List(IEnumerable<FinishedTaskRecord> calls)
    {
        var states = new SortedDictionary<long, TaskState>();
        foreach (var task in ListUnfinished())
            states[task.TaskId.Number] = FinishedTasks.ToState(task.CreateRecord(task.State));
        foreach (var call in calls)
            states[call.Id] = FinishedTasks.ToState(call);

        // Read last: a task that ends meanwhile is told as ended, not forgotten.
        foreach (var task in FinishedTasks.Read())
            states[task.Id] = FinishedTasks.ToState(task);
        return [.. states.Values];
    }

    /// <summary>Fails everything that has not ended, and tells code that runs to stop.</summary>
    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        Volatile.Read(ref _deadlocks)?.Dispose();
        var ended = CreateDisposedFailure();
        foreach (var task in ListUnfinished())
            task.FailAndStop(ended, force: false);
        _plans.DetachFunctions();
        lock (_sync)
            GrantReacquisitions();
        return ValueTask.CompletedTask;
    }

    private void Start<TResult>(TaskExecutionPlan plan, ObjectRef<TResult> reference, MethodCall<TResult> call, ObjectId? parent) =>
        Start(new TaskExecution<TResult>(plan, reference, parent, call));

    private void Start(TaskExecution task)
    {
        task.Reference.Producer = task;
        task.EnqueueWhenReady();

        // Disposed meanwhile, after what was there had been failed.
        if (_isDisposed)
            task.FailAndStop(CreateDisposedFailure(), force: false);
        if (task.Group is ReservedPlacementGroup { IsRemoved: true })
            task.CancelWithGroup();
    }

    private void ThrowIfDisposed()
    {
        if (_isDisposed)
            throw Cluster.CreateDisposedException();
    }

    private static ObjectDisposedException CreateDisposedFailure() => Cluster.CreateDisposedException("The cluster was disposed before the task ended.");

    private ITaskExecutor CreateWorkers() =>
        _makeWorkers?.Invoke() ?? throw new NotSupportedException("This cluster has no worker processes.");
}
