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
    private static TaskContext? onThread;

    private RefWait? waits;

    /// <summary>Null in code that no task runs.</summary>
    public static TaskContext? Current => onThread ?? Flowing.Value;

    public abstract Cluster Cluster { get; }

    public abstract ObjectId TaskId { get; }

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

    /// <summary>The flow, as <see cref="RefWait.Flow"/>, of its code that blocks this thread.</summary>
    public object? FlowOfThread =>
        onThread == this ? RefWait.Thread
        : SynchronizationContext.Current is TurnContext context && context.Turns == Turns ? RefWait.Turn
        : null;

    /// <summary>The wait for which its code blocks its turn, or the thread it was begun on; null when there is none.</summary>
    public RefWait? TurnWait
    {
        get
        {
            lock (this)
            {
                var wait = waits;
                while (wait is not null && wait.Flow != RefWait.Thread && wait.Flow != RefWait.Turn)
                    wait = wait.Next;
                return wait;
            }
        }
    }

    /// <summary>Whose turns its code takes; null where it takes none.</summary>
    protected virtual MailboxTurns? Turns => null;

    /// <summary>The whole of its code, where that is an async method that has returned before its end.</summary>
    protected virtual Task? Flow => null;

    /// <summary>Its code waits from here on; its CPU is lent to others. To be ended by <see cref="RefWait.End"/>.</summary>
    /// <param name="references">What it waits for.</param>
    /// <param name="count">How many of them have to be ready.</param>
    /// <param name="flow">As <see cref="RefWait.Flow"/>.</param>
    public RefWait BeginWait(IReadOnlyList<ObjectRef> references, int count, object? flow) => BeginWait(new(this, references, count, flow));

    /// <summary>The same with a wait that has been made.</summary>
    public RefWait BeginWait(RefWait wait)
    {
        bool isFirst;
        lock (this)
        {
            isFirst = waits is null;
            wait.Next = waits;
            waits = wait;
        }

        if (isFirst)
            Lend();
        OnBegun(wait);
        return wait;
    }

    /// <summary>Whether one of its waits is for what goes on with this.</summary>
    public bool HasWait(Task flow)
    {
        lock (this)
        {
            var wait = waits;
            while (wait is not null && wait.Flow != flow)
                wait = wait.Next;
            return wait is not null;
        }
    }

    /// <summary>Adds what its code cannot go on without.</summary>
    public void AddWaits(ICollection<ObjectNeed> needs)
    {
        lock (this)
        {
            for (var wait = waits; wait is not null; wait = wait.Next)
            {
                if (IsStuckBy(wait))
                    needs.Add(new NeedOfRefs(wait, wait.References, wait.Count, wait.UntilFault));
            }
        }
    }

    /// <summary>Whether its code cannot end before this wait does. False as long as that is not known.</summary>
    public bool IsStuckBy(RefWait wait) =>
        wait.Flow == RefWait.Thread || wait.Flow == RefWait.Code || (wait.Flow is Task awaited && Flow is { } whole && Continuations.Lead(awaited, whole));

    internal void End(RefWait ended, IResumable waiter)
    {
        OnEnded(ended);
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

    /// <summary>It waits for something, perhaps for other things as well.</summary>
    protected virtual void OnBegun(RefWait wait)
    {
    }

    /// <summary>One of its waits is about to end.</summary>
    protected virtual void OnEnded(RefWait wait)
    {
    }

    /// <summary>It starts to wait: others may have its CPU.</summary>
    protected virtual void Lend()
    {
    }

    /// <summary>It waits no longer: lets it go on once it has its CPU back.</summary>
    protected virtual void TakeBack(IResumable waiter) => waiter.Resume();
}
