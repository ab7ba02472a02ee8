namespace Serve.Runtime.Tasks;

/// <summary>FIFO queue of runnable tasks with the same resource demand, priority and isolation.</summary>
/// <remarks>
/// Lock-free. A queue with tasks is in one of three states:
///
///   Idle      no lease serves it                         _isPolled = 0, IsWaitingForResources = false
///   Polled    one lease is about to dequeue from it      _isPolled = 1
///   Waiting   registered for released resources          IsWaitingForResources = true (written under the dispatcher's lock)
///
/// Invariant: a queue with tasks is Idle only within Enqueue and EndPoll, which then request a lease.
/// Memory order: Enqueue publishes the task (a full barrier), then reads _isPolled. EndPoll clears _isPolled, issues a full barrier, then reads the queue. One
/// of the two therefore observes the other, and that one calls RequestLease. The dispatcher clears IsWaitingForResources with a full barrier before it reads the
/// queue, for the same reason.
/// </remarks>
internal sealed class TaskQueue(TaskDispatcher dispatcher, ResourceDemand demand, ResourceLedger[] ledgers, int priority, bool runsInWorker)
{
    private volatile ResourceLedger[] _ledgers = ledgers;
    private readonly MemoryTrimmingQueue<TaskExecution> _tasks = new(large: 10_000);
    private int _isPolled;
    private volatile bool _isWaiting;

    public TaskDispatcher Dispatcher => dispatcher;

    public ResourceDemand Demand => demand;

    /// <summary>CPU that a task of this queue releases while it waits; null if its tasks hold no CPU.</summary>
    public ResourceDemand? ReleasableCpu { get; } = demand.UnitsOf(ResourceDemand.Cpu) is not 0 and var units
        ? ResourceDemand.None.With(ResourceDemand.Cpu, (double)units / ResourceDemand.UnitsPerOne)
        : null;

    /// <summary>Ledgers that may serve the queue, best first. Replaced when nodes join or leave.</summary>
    public ResourceLedger[] Ledgers
    {
        get => _ledgers;
        set => _ledgers = value;
    }

    public int Priority => priority;

    public bool RunsInWorker => runsInWorker;

    public SchedulingStrategy? Scheduling { get; init; }

    public PlacementGroup? Group => (Scheduling as SchedulingStrategy.InGroup)?.Group;

    public bool IsEmpty => _tasks.IsEmpty;

    /// <summary>Snapshot of the queued tasks; may include finished ones.</summary>
    public IEnumerable<TaskExecution> Tasks => _tasks.Items;

    /// <summary>Whether the queue is registered for released resources. Written under the dispatcher's lock.</summary>
    public bool IsWaitingForResources
    {
        get => _isWaiting;
        set => _isWaiting = value;
    }

    /// <summary>Whether it has been reported that lasting holders leave too few resources. Written under the dispatcher's lock.</summary>
    public bool IsStarvationReported { get; set; }

    /// <summary>Number of later tasks that may still overtake the first task while it waits for resources.</summary>
    public int RemainingOvertakes { get; set; }

    /// <summary>How long overtaking is blocked the next time.</summary>
    public TimeSpan OvertakeBlockDuration { get; set; } = TaskDispatcher.InitialOvertakeBlock;

    public void Enqueue(TaskExecution task)
    {
        _tasks.Enqueue(task);
        if (Volatile.Read(ref _isPolled) == 0 && !_isWaiting)
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
    public bool TryBeginPoll() => Interlocked.CompareExchange(ref _isPolled, 1, 0) == 0;

    /// <summary>Cancels a poll for which no lease could be granted.</summary>
    public void CancelPoll() => Volatile.Write(ref _isPolled, 0);

    /// <summary>Ends the caller's poll and requests another lease if tasks remain.</summary>
    public void EndPoll()
    {
        Volatile.Write(ref _isPolled, 0);
        Interlocked.MemoryBarrier();
        if (!_tasks.IsEmpty && !_isWaiting)
            dispatcher.RequestLease(this);
    }
}
