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
    private readonly Cluster cluster;
    private readonly Func<ObjectId> nextId;
    private readonly TaskPlans plans;
    private readonly Lock sync = new();
    private readonly List<TaskSlot> slots = [];
    private readonly HashSet<TaskQueue> queues = [];
    private Func<ITaskExecutor>? makeWorkers;
    private ITaskExecutor? workers;
    private ConcurrentDictionary<long, SubmittedTask>? awaitingArguments;
    private volatile bool isDisposed;

    /// <summary>Makes one; no thread is started before the first task.</summary>
    /// <param name="cluster">The cluster its refs belong to.</param>
    /// <param name="nextId">Makes ids.</param>
    /// <param name="ledgers">Where resources come from.</param>
    /// <param name="threads">What tasks of this process run on; disposed by who made it.</param>
    /// <param name="options">The cluster's.</param>
    /// <param name="time">The clock of timeouts.</param>
    public TaskDispatcher(Cluster cluster, Func<ObjectId> nextId, LedgerSource ledgers, CoreThreads threads, ClusterOptions options, TimeProvider time)
    {
        this.cluster = cluster;
        this.nextId = nextId;
        plans = new(this, ledgers, options.Isolation);
        Threads = threads;
        Context = new(threads);
        Time = time;
        Log = new(options.TaskHistory, time);
    }

    public CoreThreads Threads { get; }

    /// <summary>Where the code of async tasks goes on.</summary>
    public CoreContext Context { get; }

    public TimeProvider Time { get; }

    /// <summary>What ended last; actors write their calls into it too.</summary>
    public TaskLog Log { get; }

    public bool IsDisposed => isDisposed;

    /// <summary>What runs tasks in workers.</summary>
    public ITaskExecutor Workers => workers ?? Interlocked.CompareExchange(ref workers, MakeWorkers(), null) ?? workers;

    /// <summary>Tasks that wait for an argument, by id.</summary>
    public ConcurrentDictionary<long, SubmittedTask> AwaitingArguments =>
        Volatile.Read(ref awaitingArguments) ?? Interlocked.CompareExchange(ref awaitingArguments, new(), null) ?? awaitingArguments;

    /// <summary>Where tasks go whose isolation is a process; made with the first of them.</summary>
    public void UseWorkers(Func<ITaskExecutor> make) => makeWorkers = make;

    /// <summary>Starts a task.</summary>
    /// <param name="function">Its function.</param>
    /// <param name="call">Its arguments.</param>
    /// <param name="options">How it is to run.</param>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public ObjectRef<TResult> Submit<TResult>(RemoteFunction function, MethodCall<TResult> call, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = plans.Find(function, options, context?.InheritedScheduling);
        var reference = new ObjectRef<TResult>(cluster, nextId());
        Start(plan, reference, call, context?.Cluster == cluster ? context.TaskId : null);
        return reference;
    }

    /// <summary>Starts several tasks that are to run at the same time.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what they ask for.</exception>
    public ObjectRef<TResult>[] Submit<TResult>(RemoteFunction function, int count, Func<MethodCall<TResult>> makeCall, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = plans.Find(function, options, context?.InheritedScheduling);
        ObjectId? parent = context?.Cluster == cluster ? context.TaskId : null;

        // Nobody is woken before the last is there: a thread that wakes up on the caller's processor keeps the caller from it until the first task is over.
        var isFirst = plan.Queue.TryLook();
        try
        {
            var references = new ObjectRef<TResult>[count];
            for (var i = 0; i < count; i++)
                Start(plan, references[i] = new(cluster, nextId()), makeCall(), parent);
            return references;
        }
        finally
        {
            if (isFirst)
                plan.Queue.Looked();
        }
    }

    /// <summary>Starts a task that streams.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public ObjectRefStream<TItem> SubmitStream<TItem>(RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options)
    {
        ThrowIfDisposed();
        var context = TaskContext.Current;
        var plan = plans.Find(function, options, context?.InheritedScheduling);
        var task = new SubmittedStream<TItem>(plan, new(cluster, nextId()), context?.Cluster == cluster ? context.TaskId : null, call, nextId);
        Start(task);
        return task.Items;
    }

    /// <summary>Starts a task whose ref is there already: one that a task in a worker submits, under an id of its own.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public void Submit<TResult>(ObjectRef<TResult> reference, RemoteFunction function, MethodCall<TResult> call, TaskOptions? options, ITaskAttempt? parent)
    {
        ThrowIfDisposed();
        Start(plans.Find(function, options, parent?.Context?.InheritedScheduling), reference, call, parent?.Id);
    }

    /// <summary>The same for a task that streams, whose end is the ref's.</summary>
    /// <exception cref="InsufficientResourcesException">The cluster can never give what it asks for.</exception>
    public ObjectRefStream<TItem> SubmitStream<TItem>(
        ObjectRef<TItem> completion, RemoteFunction function, MethodCall<IAsyncEnumerable<TItem>> call, TaskOptions? options, ITaskAttempt? parent)
    {
        ThrowIfDisposed();
        var task = new SubmittedStream<TItem>(plans.Find(function, options, parent?.Context?.InheritedScheduling), completion, parent?.Id, call, nextId);
        Start(task);
        return task.Items;
    }

    /// <summary>Starts a task once more whose result was lost.</summary>
    /// <returns>The ref of what it makes now.</returns>
    public ObjectRef<TResult> Resubmit<TResult>(TaskPlan plan, MethodCall<TResult> call, ObjectId? parent)
    {
        var reference = new ObjectRef<TResult>(cluster, nextId());
        Start(plan, reference, call, parent);
        return reference;
    }

    /// <summary>Told whose children are cancelled, and whether by force: for the actors' calls among them.</summary>
    public event Action<ObjectId, bool>? CancellingChildren;

    /// <summary>Cancels the tasks and calls that a task, or an actor's call, has started.</summary>
    public void CancelChildren(ObjectId parent, bool force)
    {
        CancellingChildren?.Invoke(parent, force);
        foreach (var task in Live())
        {
            if (task.Parent == parent)
                task.Cancel(force, recursive: true);
        }
    }

    /// <summary>Tasks that have not ended.</summary>
    public List<SubmittedTask> Live()
    {
        var live = new List<SubmittedTask>();
        lock (sync)
        {
            foreach (var queue in queues)
                live.AddRange(queue.Tasks);
            foreach (var slot in slots)
                slot.AddTasks(live);
        }

        if (Volatile.Read(ref awaitingArguments) is { } awaiting)
            live.AddRange(awaiting.Values);
        live.RemoveAll(static task => task.IsOver);
        return live;
    }

    /// <summary>Tasks that have not ended and those that ended last, by id.</summary>
    public IReadOnlyList<TaskState> List(IEnumerable<EndedTask> calls)
    {
        var states = new SortedDictionary<long, TaskState>();
        foreach (var task in Live())
            states[task.TaskId.Number] = Log.ToState(task.Describe(task.State));
        foreach (var call in calls)
            states[call.Id] = Log.ToState(call);

        // Read last: a task that ends meanwhile is told as ended, not forgotten.
        foreach (var task in Log.Read())
            states[task.Id] = Log.ToState(task);
        return [.. states.Values];
    }

    /// <summary>Fails everything that has not ended, and tells code that runs to stop.</summary>
    public ValueTask DisposeAsync()
    {
        isDisposed = true;
        Volatile.Read(ref deadlocks)?.Dispose();
        var ended = Ended();
        foreach (var task in Live())
            task.Stopped(ended, force: false);
        plans.Forget();
        lock (sync)
            ServeReturning();
        return ValueTask.CompletedTask;
    }

    private void Start<TResult>(TaskPlan plan, ObjectRef<TResult> reference, MethodCall<TResult> call, ObjectId? parent) =>
        Start(new SubmittedTask<TResult>(plan, reference, parent, call));

    private void Start(SubmittedTask task)
    {
        task.Reference.Producer = task;
        task.Begin();

        // Disposed meanwhile, after what was there had been failed.
        if (isDisposed)
            task.Stopped(Ended(), force: false);
        if (task.Group is ReservedGroup { IsRemoved: true })
            task.EndWithGroup();
    }

    private void ThrowIfDisposed()
    {
        if (isDisposed)
            throw Cluster.Disposed();
    }

    private static ObjectDisposedException Ended() => Cluster.Disposed("The cluster was disposed before the task ended.");

    private ITaskExecutor MakeWorkers() =>
        makeWorkers?.Invoke() ?? throw new NotSupportedException("This cluster has no worker processes.");
}
