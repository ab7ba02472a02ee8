namespace Serve.Runtime.Tasks;

/// <summary>
/// Tasks that are ready and wait for the same resources, first come first served. At most one slot at a time is on its way to it and finds
/// nothing to do there. <see cref="IsWaitingForResources"/> is written under the dispatcher's lock, the rest with interlocked operations.
/// </summary>
internal sealed class TaskQueue(TaskDispatcher dispatcher, ResourceDemand demand, ResourceLedger[] ledgers, int priority, bool runsInWorker)
{
    private readonly MemoryTrimmingQueue<TaskExecution> _tasks = new(large: 10_000);
    private int _looking;
    private volatile bool _isWaiting;

    public TaskDispatcher Dispatcher => dispatcher;

    public ResourceDemand Demand => demand;

    /// <summary>CPU that a task of this queue releases while it waits; null if its tasks hold no CPU.</summary>
    public ResourceDemand? ReleasableCpu { get; } = demand.UnitsOf(ResourceDemand.Cpu) is not 0 and var units
        ? ResourceDemand.None.With(ResourceDemand.Cpu, (double)units / ResourceDemand.UnitsPerOne)
        : null;

    public ResourceLedger[] Ledgers => ledgers;

    public int Priority => priority;

    public bool RunsInWorker => runsInWorker;

    public PlacementGroup? Group { get; init; }

    public bool IsEmpty => _tasks.IsEmpty;

    /// <summary>Snapshot of the queued tasks; may include finished ones.</summary>
    public IEnumerable<TaskExecution> Tasks => _tasks.Items;

    /// <summary>Whether the queue is registered for released resources. Written under the dispatcher's lock.</summary>
    public bool IsWaitingForResources
    {
        get => _isWaiting;
        set => _isWaiting = value;
    }

    /// <summary>Number of later tasks that may still overtake the first task while it waits for resources.</summary>
    public int RemainingOvertakes { get; set; }

    /// <summary>How long overtaking is blocked the next time.</summary>
    public TimeSpan OvertakeBlockDuration { get; set; } = TaskDispatcher.InitialOvertakeBlock;

    public void Enqueue(TaskExecution task)
    {
        _tasks.Enqueue(task);

        if (Volatile.Read(ref _looking) == 0 && !_isWaiting)
            dispatcher.RequestLease(this);
    }

    /// <summary>Dequeues the first task that has not been canceled or claimed; null if there is none.</summary>
    public TaskExecution? Dequeue()
    {
        while (_tasks.TryDequeue(out var task))
        {
            if (task.TryClaim())
                return task;
        }

        return null;
    }

    /// <summary>Releases the memory of a queue that has been large.</summary>
    public void Trim() => _tasks.Trim();

    /// <summary>Sequence number of the first task; the highest value if the queue is empty.</summary>
    public long FirstTaskNumber => _tasks.TryPeek(out var task) ? task.TaskId.Number : long.MaxValue;

    /// <summary>Marks the queue as polled by the caller; false if another lease already polls it.</summary>
    public bool TryBeginPoll() => Interlocked.CompareExchange(ref _looking, 1, 0) == 0;

    /// <summary>Cancels a poll for which no lease could be granted.</summary>
    public void CancelPoll() => Volatile.Write(ref _looking, 0);

    /// <summary>Ends the caller's poll and requests another lease if tasks remain.</summary>
    public void EndPoll()
    {
        Volatile.Write(ref _looking, 0);
        Interlocked.MemoryBarrier();
        if (!_tasks.IsEmpty && !_isWaiting)
            dispatcher.RequestLease(this);
    }
}
