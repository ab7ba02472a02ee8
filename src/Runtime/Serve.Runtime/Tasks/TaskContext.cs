using Serve.Runtime.Turns;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Context of the task or actor call whose code is running: the owner of its waits and its child tasks, and the source of <see cref="Cluster.Current"/>. Its
/// list of waits is written under its lock.
/// </summary>
public abstract class TaskContext
{
    private static readonly AsyncLocal<TaskContext?> Flowing = new();

    [ThreadStatic]
    private static TaskContext? _onThread;

    private ObjectRefWait? _waits;

    /// <summary>Context of the running code; null outside of tasks and actor calls.</summary>
    public static TaskContext? Current => _onThread ?? Flowing.Value;

    public abstract Cluster Cluster { get; }

    public abstract ObjectId TaskId { get; }

    /// <summary>Whether the code waits for objects.</summary>
    public bool IsWaiting => Volatile.Read(ref _waits) is not null;

    /// <summary>Scheduling strategy inherited by child tasks that specify none.</summary>
    public virtual SchedulingStrategy? InheritedScheduling => null;

    /// <summary>Sets the current context for synchronous code on this thread.</summary>
    /// <returns>The previous context, to be restored by the caller.</returns>
    public static TaskContext? SetOnThread(TaskContext? context)
    {
        var before = _onThread;
        _onThread = context;
        return before;
    }

    /// <summary>Sets the current context for this execution context and everything awaited in it.</summary>
    public static void SetFlowing(TaskContext? context) => Flowing.Value = context;

    /// <summary>The <see cref="ObjectRefWait.Flow"/> of a wait that blocks this thread.</summary>
    public object? FlowOfThread =>
        _onThread == this ? ObjectRefWait.Thread
        : SynchronizationContext.Current is TurnSynchronizationContext context && context.Turns == Turns ? ObjectRefWait.Turn
        : null;

    /// <summary>Wait for which the code blocks its turn or its thread; null if there is none.</summary>
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

    /// <summary>Scheduler of the turns in which the code runs; null for tasks.</summary>
    protected virtual MailboxTurnScheduler? Turns => null;

    /// <summary>Task of the async method that is the code, if it has returned without completing.</summary>
    protected virtual Task? AsyncCode => null;

    /// <summary>Starts a wait of the code and releases its CPU; ended by <see cref="ObjectRefWait.End"/>.</summary>
    /// <param name="references">Awaited objects.</param>
    /// <param name="count">Number of objects that must be ready.</param>
    /// <param name="flow">See <see cref="ObjectRefWait.Flow"/>.</param>
    public ObjectRefWait BeginWait(IReadOnlyList<ObjectRef> references, int count, object? flow) => BeginWait(new(this, references, count, flow));

    /// <summary>Starts a prepared wait.</summary>
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

    /// <summary>Whether one of the waits is resumed by this task.</summary>
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

    /// <summary>Adds the objects without which the code cannot finish.</summary>
    public void AddWaits(ICollection<ObjectDependency> dependencies)
    {
        lock (this)
        {
            for (var wait = _waits; wait is not null; wait = wait.Next)
            {
                if (IsBlockedBy(wait))
                    ObjectDependency.AddRequired(dependencies, wait, wait.References, wait.Count, wait.UntilFault);
            }
        }
    }

    /// <summary>Whether the code can certainly not finish before the wait ends: it blocks its thread, or its own async method awaits the object.</summary>
    public bool IsBlockedBy(ObjectRefWait wait) =>
        wait.Flow == ObjectRefWait.Thread || wait.Flow == ObjectRefWait.Code || (wait.Flow is Task waiter && waiter == AsyncCode);

    /// <summary>The wait of the code's own async method; null if there is none.</summary>
    protected ObjectRefWait? CodeWait
    {
        get
        {
            lock (this)
            {
                var wait = _waits;
                while (wait is not null && (wait.Flow is not Task waiter || waiter != AsyncCode))
                    wait = wait.Next;
                return wait;
            }
        }
    }

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

    /// <summary>Clears the list of waits because the code has finished.</summary>
    /// <returns>Whether the code was waiting.</returns>
    protected bool ClearWaits()
    {
        if (Volatile.Read(ref _waits) is null)
            return false;
        lock (this)
            _waits = null;
        return true;
    }

    /// <summary>Called after a wait has started.</summary>
    protected virtual void OnWaitStarted(ObjectRefWait wait)
    {
    }

    /// <summary>Called before a wait ends.</summary>
    protected virtual void OnWaitEnded(ObjectRefWait wait)
    {
    }

    /// <summary>Releases the CPU because the code started to wait.</summary>
    protected virtual void ReleaseCpu()
    {
    }

    /// <summary>Reacquires the CPU, then resumes the code.</summary>
    protected virtual void ReacquireCpu(IResumable waiter) => waiter.Resume();
}
