namespace Serve.Runtime.Tasks;

/// <summary>
/// Tasks that are ready and wait for the same resources, first come first served. At most one slot at a time is on its way to it and finds
/// nothing to do there. <see cref="IsWaitingForResources"/> is written under the dispatcher's lock, the rest with interlocked operations.
/// </summary>
internal sealed class TaskQueue(TaskDispatcher dispatcher, ResourceDemand demand, ResourceLedger[] ledgers, int priority, bool isProcess)
{
    private readonly MemoryTrimmingQueue<TaskExecution> _tasks = new(large: 10_000);
    private int _looking;
    private volatile bool _isWaiting;

    public TaskDispatcher Dispatcher => dispatcher;

    public ResourceDemand Demand => demand;

    /// <summary>What a task gives to others while it waits; null when it holds no CPU.</summary>
    public ResourceDemand? ReleasableCpu { get; } = demand.UnitsOf(ResourceDemand.Cpu) is not 0 and var units
        ? ResourceDemand.None.With(ResourceDemand.Cpu, (double)units / ResourceDemand.UnitsPerOne)
        : null;

    public ResourceLedger[] Ledgers => ledgers;

    public int Priority => priority;

    public bool RunsInWorker => isProcess;

    public PlacementGroup? Group { get; init; }

    public bool IsEmpty => _tasks.IsEmpty;

    /// <summary>Tasks as they lie there; ended ones may be among them.</summary>
    public IEnumerable<TaskExecution> Tasks => _tasks.Items;

    /// <summary>Whether it is among those that want a slot as soon as there are resources.</summary>
    public bool IsWaitingForResources
    {
        get => _isWaiting;
        set => _isWaiting = value;
    }

    /// <summary>How many later tasks may still take resources that its first one waits for.</summary>
    public int RemainingOvertakes { get; set; }

    /// <summary>How long it lets nobody pass next time.</summary>
    public TimeSpan OvertakeBlockDuration { get; set; } = TaskDispatcher.InitialOvertakeBlock;

    public void Enqueue(TaskExecution task)
    {
        _tasks.Enqueue(task);

        // Behind the barrier of that: the task is there before this is read, or else whoever looks sees it.
        if (Volatile.Read(ref _looking) == 0 && !_isWaiting)
            dispatcher.RequestLease(this);
    }

    /// <summary>Takes the first task that is still to be run.</summary>
    public TaskExecution? Dequeue()
    {
        while (_tasks.TryDequeue(out var task))
        {
            if (task.TryClaim())
                return task;
        }

        return null;
    }

    /// <summary>Gives back the memory of many tasks that have gone through it.</summary>
    public void Trim() => _tasks.Trim();

    /// <summary>The id of the first one; the highest when there is none.</summary>
    public long FirstTaskNumber => _tasks.TryPeek(out var task) ? task.TaskId.Number : long.MaxValue;

    /// <summary>Says that the caller looks into it; false when someone else does.</summary>
    public bool TryBeginPoll() => Interlocked.CompareExchange(ref _looking, 1, 0) == 0;

    /// <summary>The dispatcher, which had meant to send someone, has nobody to send.</summary>
    public void CancelPoll() => Volatile.Write(ref _looking, 0);

    /// <summary>The caller has looked: with more to do there the next one is asked for.</summary>
    public void EndPoll()
    {
        Volatile.Write(ref _looking, 0);
        Interlocked.MemoryBarrier();
        if (!_tasks.IsEmpty && !_isWaiting)
            dispatcher.RequestLease(this);
    }
}
