using Serve.Runtime.Turns;

namespace Serve.Runtime.Tasks;

/// <summary>
/// The task, or the actor's call, whose code is running: what its waiting, its children and <see cref="Cluster.Current"/> refer to. What it
/// waits for is written under its lock.
/// </summary>
internal abstract class TaskContext
{
    private static readonly AsyncLocal<TaskContext?> Flowing = new();

    [ThreadStatic]
    private static TaskContext? _onThread;

    private ObjectRefWait? _waits;

    /// <summary>Null in code that no task runs.</summary>
    public static TaskContext? Current => _onThread ?? Flowing.Value;

    public abstract Cluster Cluster { get; }

    public abstract ObjectId TaskId { get; }

    /// <summary>Whether its code waits for objects.</summary>
    public bool IsWaiting => Volatile.Read(ref _waits) is not null;

    /// <summary>Where what it starts is to run, unless that says otherwise.</summary>
    public virtual SchedulingStrategy? InheritedScheduling => null;

    /// <summary>Makes it the current one for synchronous code on this thread; undone by passing what it returns.</summary>
    public static TaskContext? SetOnThread(TaskContext? context)
    {
        var before = _onThread;
        _onThread = context;
        return before;
    }

    /// <summary>Makes it the current one for this execution context and what is awaited in it.</summary>
    public static void SetFlowing(TaskContext? context) => Flowing.Value = context;

    /// <summary>The flow, as <see cref="ObjectRefWait.Flow"/>, of its code that blocks this thread.</summary>
    public object? FlowOfThread =>
        _onThread == this ? ObjectRefWait.Thread
        : SynchronizationContext.Current is TurnSynchronizationContext context && context.Turns == Turns ? ObjectRefWait.Turn
        : null;

    /// <summary>The wait for which its code blocks its turn, or the thread it was begun on; null when there is none.</summary>
    public ObjectRefWait? TurnWait
    {
        get
        {
            lock (this)
            {
                var wait = _waits;
                while (wait is not null && wait.Flow != ObjectRefWait.Thread && wait.Flow != ObjectRefWait.Turn)
                    wait = wait.Next;
                return wait;
            }
        }
    }

    /// <summary>Whose turns its code takes; null where it takes none.</summary>
    protected virtual MailboxTurnScheduler? Turns => null;

    /// <summary>The whole of its code, where that is an async method that has returned before its end.</summary>
    protected virtual Task? Flow => null;

    /// <summary>Its code waits from here on; its CPU is lent to others. To be ended by <see cref="ObjectRefWait.End"/>.</summary>
    /// <param name="references">What it waits for.</param>
    /// <param name="count">How many of them have to be ready.</param>
    /// <param name="flow">As <see cref="ObjectRefWait.Flow"/>.</param>
    public ObjectRefWait BeginWait(IReadOnlyList<ObjectRef> references, int count, object? flow) => BeginWait(new(this, references, count, flow));

    /// <summary>The same with a wait that has been made.</summary>
    public ObjectRefWait BeginWait(ObjectRefWait wait)
    {
        bool isFirst;
        lock (this)
        {
            isFirst = _waits is null;
            wait.Next = _waits;
            _waits = wait;
        }

        if (isFirst)
            ReleaseCpu();
        OnWaitStarted(wait);
        return wait;
    }

    /// <summary>Whether one of its waits is for what goes on with this.</summary>
    public bool HasWait(Task flow)
    {
        lock (this)
        {
            var wait = _waits;
            while (wait is not null && wait.Flow != flow)
                wait = wait.Next;
            return wait is not null;
        }
    }

    /// <summary>Adds what its code cannot go on without.</summary>
    public void AddWaits(ICollection<ObjectDependency> needs)
    {
        lock (this)
        {
            for (var wait = _waits; wait is not null; wait = wait.Next)
            {
                if (IsStuckBy(wait))
                    needs.Add(new ObjectRefDependency(wait, wait.References, wait.Count, wait.UntilFault));
            }
        }
    }

    /// <summary>Whether its code cannot end before this wait does. False as long as that is not known.</summary>
    public bool IsStuckBy(ObjectRefWait wait) =>
        wait.Flow == ObjectRefWait.Thread || wait.Flow == ObjectRefWait.Code || (wait.Flow is Task awaited && Flow is { } whole && Continuations.Lead(awaited, whole));

    internal void End(ObjectRefWait ended, IResumable waiter)
    {
        OnWaitEnded(ended);
        bool isLast;
        lock (this)
        {
            ObjectRefWait? before = null;
            var at = _waits;
            while (at is not null && at != ended)
                (before, at) = (at, at.Next);
            if (at is null)
                isLast = false;
            else if (before is null)
                isLast = (_waits = ended.Next) is null;
            else
                (before.Next, isLast) = (ended.Next, false);
        }

        if (isLast)
            ReacquireCpu(waiter);
        else
            waiter.Resume();
    }

    /// <summary>Forgets what it waits for: its code is over.</summary>
    /// <returns>Whether it was waiting.</returns>
    protected bool ClearWaits()
    {
        if (Volatile.Read(ref _waits) is null)
            return false;
        lock (this)
            _waits = null;
        return true;
    }

    /// <summary>It waits for something, perhaps for other things as well.</summary>
    protected virtual void OnWaitStarted(ObjectRefWait wait)
    {
    }

    /// <summary>One of its waits is about to end.</summary>
    protected virtual void OnWaitEnded(ObjectRefWait wait)
    {
    }

    /// <summary>It starts to wait: others may have its CPU.</summary>
    protected virtual void ReleaseCpu()
    {
    }

    /// <summary>It waits no longer: lets it go on once it has its CPU back.</summary>
    protected virtual void ReacquireCpu(IResumable waiter) => waiter.Resume();
}
