namespace Serve.Runtime.Tasks;

/// <summary>
/// The task, or the actor's call, whose code is running: what its waiting, its children and <see cref="Cluster.Current"/> refer to. What it
/// waits for is written under its lock.
/// </summary>
internal class TaskContext(Cluster cluster, ObjectId taskId)
{
    private static readonly AsyncLocal<TaskContext?> Flowing = new();

    [ThreadStatic]
    private static TaskContext? onThread;

    private RefWait? waits;

    /// <summary>Null in code that no task runs.</summary>
    public static TaskContext? Current => onThread ?? Flowing.Value;

    public Cluster Cluster => cluster;

    public ObjectId TaskId => taskId;

    /// <summary>Whether its code waits for objects.</summary>
    public bool IsWaiting => Volatile.Read(ref waits) is not null;

    /// <summary>Where what it starts is to run, unless that says otherwise.</summary>
    public virtual SchedulingStrategy? InheritedScheduling => null;

    /// <summary>Makes it the current one for synchronous code on this thread; undone by passing what it returns.</summary>
    public static TaskContext? SetOnThread(TaskContext? context)
    {
        var before = onThread;
        onThread = context;
        return before;
    }

    /// <summary>Makes it the current one for this execution context and what is awaited in it.</summary>
    public static void SetFlowing(TaskContext? context) => Flowing.Value = context;

    /// <summary>Its code waits from here on; its CPU is lent to others. To be ended by <see cref="RefWait.End"/>.</summary>
    /// <param name="references">All of what it waits for.</param>
    /// <param name="flow">What goes on when they are ready: <see cref="RefWait.Thread"/> for the calling thread, an async method's own object, or null when it may go on without them.</param>
    public RefWait BeginWait(IReadOnlyList<ObjectRef> references, object? flow)
    {
        var wait = new RefWait(this, references, flow);
        bool isFirst;
        lock (this)
        {
            isFirst = waits is null;
            wait.Next = waits;
            waits = wait;
        }

        if (isFirst)
            Lend();
        if (IsStuckBy(wait))
            Deadlocks.Break(taskId, references);
        return wait;
    }

    /// <summary>Adds the refs without which its code cannot go on.</summary>
    public void AddAwaited(ICollection<ObjectRef> references)
    {
        lock (this)
        {
            for (var wait = waits; wait is not null; wait = wait.Next)
            {
                if (!IsStuckBy(wait))
                    continue;
                foreach (var reference in wait.References)
                    references.Add(reference);
            }
        }
    }

    internal void End(RefWait ended, IResumable waiter)
    {
        bool isLast;
        lock (this)
        {
            RefWait? before = null;
            var at = waits;
            while (at is not null && at != ended)
                (before, at) = (at, at.Next);
            if (at is null)
                isLast = false;
            else if (before is null)
                isLast = (waits = ended.Next) is null;
            else
                (before.Next, isLast) = (ended.Next, false);
        }

        if (isLast)
            TakeBack(waiter);
        else
            waiter.Resume();
    }

    /// <summary>Forgets what it waits for: its code is over.</summary>
    /// <returns>Whether it was waiting.</returns>
    protected bool EndWaits()
    {
        if (Volatile.Read(ref waits) is null)
            return false;
        lock (this)
            waits = null;
        return true;
    }

    /// <summary>Whether its code cannot end before this wait does.</summary>
    protected virtual bool IsStuckBy(RefWait wait) => wait.Flow == RefWait.Thread;

    /// <summary>It starts to wait: others may have its CPU.</summary>
    protected virtual void Lend()
    {
    }

    /// <summary>It waits no longer: lets it go on once it has its CPU back.</summary>
    protected virtual void TakeBack(IResumable waiter) => waiter.Resume();
}
