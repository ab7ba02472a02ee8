using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Runtime.Placement;
using Serve.Runtime.Serialization;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Accepts tasks and grants them resources and threads, ordered by priority and then by submission. Tasks that fit may overtake earlier ones that do not, for a
/// limited time. Waiting queues, leases and pending CPU reacquisitions are written under its lock.
/// </summary>
public sealed partial class TaskDispatcher : IAsyncDisposable
{
    private readonly Cluster _cluster;
    private readonly Func<ObjectId> _nextId;
    private readonly TaskPlanCache _plans;
    private readonly PlacementNodeSet _nodes;
    private readonly Lock _sync = new();
    private readonly List<ResourceLease> _slots = [];
    private readonly HashSet<TaskQueue> _queues = [];
    private Func<ITaskExecutor>? _makeWorkers;
    private ITaskExecutor? _workers;
    private ConcurrentDictionary<long, TaskExecution>? _awaitingArguments;
    private volatile bool _isDisposed;

    /// <summary>Creates a dispatcher. No thread is started before the first task.</summary>
    /// <param name="cluster">Cluster that owns the object references.</param>
    /// <param name="nextId">Creates object ids.</param>
    /// <param name="nodes">Nodes and their resource ledgers.</param>
    /// <param name="threads">Threads for tasks of this process; disposed by the caller.</param>
    /// <param name="options">Cluster options.</param>
    /// <param name="time">Clock for timeouts.</param>
    /// <param name="logger">Receives warnings about tasks that cannot start or do not end.</param>
    internal TaskDispatcher(Cluster cluster, Func<ObjectId> nextId, PlacementNodeSet nodes, TaskThreadPool threads, ClusterOptions options, TimeProvider time, ILogger logger)
    {
        Logger = logger;
        CancellationGracePeriod = options.CancellationGracePeriod;
        _nodes = nodes;
        _cluster = cluster;
        _nextId = nextId;
        _plans = new(this, new(nodes), options.Isolation);
        nodes.Changed += RefreshLedgers;
        Threads = threads;
        Context = new(threads);
        Time = time;
        _detectsDeadlocks = options.DetectDeadlocks;
        FinishedTasks = new(options.TaskHistory, time);
    }

    public TaskThreadPool Threads { get; }

    /// <summary>Synchronization context of async tasks.</summary>
    internal TaskSynchronizationContext Context { get; }

    public TimeProvider Time { get; }

    /// <summary>Checks the values of calls in this process; null if they are not checked.</summary>
    public ValueCheck? Check { get; set; }

    public ILogger Logger { get; }

    /// <summary>How long canceled code may run before its worker is killed.</summary>
    public TimeSpan CancellationGracePeriod { get; }

    /// <summary>Log of finished tasks and actor calls.</summary>
    internal FinishedTaskLog FinishedTasks { get; }

    public bool IsDisposed => _isDisposed;

    /// <summary>Executor of tasks that run in workers.</summary>
    public ITaskExecutor Workers
    {
        get
        {
            if (_workers is { } made)
                return made;
            try
            {
                return Interlocked.CompareExchange(ref _workers, CreateWorkers(), null) ?? _workers;
            }
            catch (Exception thrown)
            {
                // Thrown on a thread of the dispatcher, which no caller observes.
                return new UnavailableExecutor(thrown);
            }
        }
    }

    /// <summary>Returns the executor for tasks in workers of the node that owns a ledger.</summary>
    public ITaskExecutor GetWorkers(ResourceLedger ledger) => _nodes.IsLocal(ledger) ? Workers : _nodes.Find(ledger.NodeId)?.Workers?.Tasks ?? LeftNodeExecutor.Instance;

    /// <summary>Tasks that wait for arguments, by id.</summary>
    internal ConcurrentDictionary<long, TaskExecution> AwaitingArguments =>
        Volatile.Read(ref _awaitingArguments) ?? Interlocked.CompareExchange(ref _awaitingArguments, new(), null) ?? _awaitingArguments;

    /// <summary>Sets the factory of the executor for tasks with process isolation; called for the first of them.</summary>
    public void SetWorkerFactory(Func<ITaskExecutor> make) => _makeWorkers = make;

    /// <summary>Submits a task.</summary>
    /// <param name="function">Function to run.</param>
    /// <param name="call">Arguments.</param>
    /// <param name="options">Task options; null for the function's defaults.</param>
    /// <exception cref="InsufficientResourcesException">The cluster can never provide the requested resources.</exception>
    public ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = _plans.GetPlan(function, options, context?.InheritedScheduling);
        var reference = new ObjectRef<TResult>(_cluster, _nextId());
        Start(plan, reference, call, context?.Cluster == _cluster ? context.TaskId : null);
        return reference;
    }

    /// <summary>Submits several tasks that are meant to run concurrently.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never provide the requested resources.</exception>
    public ObjectRef<TResult>[] Submit<TResult>(RemoteFunction function, int count, Func<MethodCall<TResult>> makeCall, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = _plans.GetPlan(function, options, context?.InheritedScheduling);
        ObjectId? parent = context?.Cluster == _cluster ? context.TaskId : null;

        // Leases are requested after the last task is queued: a thread that wakes up on the caller's processor would delay the caller until the first task has
        // finished.
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

    /// <summary>Submits a streaming task.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never provide the requested resources.</exception>
    public ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = _plans.GetPlan(function, options, context?.InheritedScheduling);
        var task = new StreamingTaskExecution<TItem>(plan, new(_cluster, _nextId()), context?.Cluster == _cluster ? context.TaskId : null, call, _nextId);
        Start(task);
        return task.Items;
    }

    /// <summary>Submits a task for an existing reference: a child task of a worker, which assigned the id.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never provide the requested resources.</exception>
    public void Submit<TResult>(ObjectRef<TResult> reference, RemoteFunction function, MethodCall<TResult> call, TaskOptions? options, ITaskAttempt? parent)
    {
        ThrowIfDisposed();
        Start(_plans.GetPlan(function, options, parent?.Context?.InheritedScheduling), reference, call, parent?.Id);
    }

    /// <summary>Submits a streaming task for an existing completion reference.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never provide the requested resources.</exception>
    public ObjectRefStream<TItem> SubmitStream<TItem>(
        ObjectRef<TItem> completion, RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options, ITaskAttempt? parent)
    {
        ThrowIfDisposed();
        var task = new StreamingTaskExecution<TItem>(_plans.GetPlan(function, options, parent?.Context?.InheritedScheduling), completion, parent?.Id, call, _nextId);
        Start(task);
        return task.Items;
    }

    /// <summary>Runs a task again whose result was lost.</summary>
    /// <returns>Reference to the new result.</returns>
    internal ObjectRef<TResult> Resubmit<TResult>(TaskExecutionPlan plan, MethodCall<TResult> call, ObjectId? parent)
    {
        var reference = new ObjectRef<TResult>(_cluster, _nextId());
        Start(plan, reference, call, parent);
        return reference;
    }

    /// <summary>Raised when the children of a task are canceled, with the parent's id and whether to use force. Actors cancel their calls.</summary>
    public event Action<ObjectId, bool>? CancellingChildren;

    /// <summary>Cancels the tasks and calls that were submitted by a task or an actor call.</summary>
    public void CancelChildren(ObjectId parent, bool force)
    {
        CancellingChildren?.Invoke(parent, force);
        foreach (var task in ListUnfinished())
        {
            if (task.Parent == parent)
                task.Cancel(force, recursive: true);
        }
    }

    /// <summary>Returns the tasks that have not finished.</summary>
    internal List<TaskExecution> ListUnfinished()
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

    /// <summary>Returns unfinished and recently finished tasks, ordered by id.</summary>
    internal IReadOnlyList<TaskState> List(IEnumerable<FinishedTaskRecord> calls)
    {
        var states = new SortedDictionary<long, TaskState>();
        foreach (var task in ListUnfinished())
            states[task.TaskId.Number] = FinishedTasks.ToState(task.CreateRecord(task.State));
        foreach (var call in calls)
            states[call.Id] = FinishedTasks.ToState(call);

        // The log is read last, so that a task that finishes concurrently is listed as finished instead of missing.
        foreach (var task in FinishedTasks.Read())
            states[task.Id] = FinishedTasks.ToState(task);
        return [.. states.Values];
    }

    /// <summary>Fails all unfinished tasks and cancels their code.</summary>
    public ValueTask DisposeAsync()
    {
        _isDisposed = true;
        _deadlocks?.Dispose();
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

        // Disposed concurrently, after the unfinished tasks had been failed.
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

    private static ObjectDisposedException CreateDisposedFailure() => Cluster.CreateDisposedException("The cluster was disposed before the task finished.");

    private ITaskExecutor CreateWorkers() =>
        _makeWorkers?.Invoke() ?? throw new NotSupportedException("This cluster has no worker processes.");
}
