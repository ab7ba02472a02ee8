namespace Serve.Runtime.Tasks;

/// <summary>
/// Tasks that are ready and wait for the same resources, first come first served. At most one slot at a time is on its way to it and finds
/// nothing to do there. <see cref="IsWaiting"/> is written under the dispatcher's lock, the rest with interlocked operations.
/// </summary>
internal sealed class TaskQueue(TaskDispatcher dispatcher, ResourceDemand demand, ResourceLedger[] ledgers, int priority, bool isProcess)
{
    private readonly TrimmedQueue<SubmittedTask> tasks = new(large: 10_000);
    private int looking;
    private volatile bool isWaiting;

    public TaskDispatcher Dispatcher => dispatcher;

    public ResourceDemand Demand => demand;

    /// <summary>What a task gives to others while it waits; null when it holds no CPU.</summary>
    public ResourceDemand? CpuPart { get; } = demand.UnitsOf(ResourceDemand.Cpu) is not 0 and var units
        ? ResourceDemand.None.With(ResourceDemand.Cpu, (double)units / ResourceDemand.UnitsPerOne)
        : null;

    public ResourceLedger[] Ledgers => ledgers;

    public int Priority => priority;

    public bool IsProcess => isProcess;

    public PlacementGroup? Group { get; init; }

    public bool IsEmpty => tasks.IsEmpty;

    /// <summary>Tasks as they lie there; ended ones may be among them.</summary>
    public IEnumerable<SubmittedTask> Tasks => tasks.Items;

    /// <summary>Whether it is among those that want a slot as soon as there are resources.</summary>
    public bool IsWaiting
    {
        get => isWaiting;
        set => isWaiting = value;
    }

    /// <summary>How many later tasks may still take resources that its first one waits for.</summary>
    public int Passes { get; set; }

    /// <summary>How long it lets nobody pass next time.</summary>
    public TimeSpan Patience { get; set; } = TaskDispatcher.FirstPatience;

    public void Add(SubmittedTask task)
    {
        tasks.Add(task);

        // Behind the barrier of that: the task is there before this is read, or else whoever looks sees it.
        if (Volatile.Read(ref looking) == 0 && !isWaiting)
            dispatcher.Request(this);
    }

    /// <summary>Takes the first task that is still to be run.</summary>
    public SubmittedTask? Take()
    {
        while (tasks.TryTake(out var task))
        {
            if (task.TryClaim())
                return task;
        }

        return null;
    }

    /// <summary>Gives back the memory of many tasks that have gone through it.</summary>
    public void Trim() => tasks.Trim();

    /// <summary>The id of the first one; the highest when there is none.</summary>
    public long First => tasks.TryPeek(out var task) ? task.TaskId.Number : long.MaxValue;

    /// <summary>Says that the caller looks into it; false when someone else does.</summary>
    public bool TryLook() => Interlocked.CompareExchange(ref looking, 1, 0) == 0;

    /// <summary>The dispatcher, which had meant to send someone, has nobody to send.</summary>
    public void Unlook() => Volatile.Write(ref looking, 0);

    /// <summary>The caller has looked: with more to do there the next one is asked for.</summary>
    public void Looked()
    {
        Volatile.Write(ref looking, 0);
        Interlocked.MemoryBarrier();
        if (!tasks.IsEmpty && !isWaiting)
            dispatcher.Request(this);
    }
}
