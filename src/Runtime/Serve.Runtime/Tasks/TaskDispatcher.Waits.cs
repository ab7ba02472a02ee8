using Serve.Runtime.Placement;

namespace Serve.Runtime.Tasks;

/// <content>Waiting tasks, for the deadlock detector.</content>
public sealed partial class TaskDispatcher : IPlacementWaits
{
    private readonly bool _detectsDeadlocks;
    private DeadlockDetector? _deadlocks;

    /// <summary>Raised by each poll for deadlocks: actors add their waiting calls.</summary>
    internal event Action<WaitingTaskSnapshot>? Observing;

    public IReadOnlyList<WaitingResourceHolder> WaitingHolders => Volatile.Read(ref _deadlocks)?.Holders ?? [];

    ObjectRef<bool> IPlacementWaits.CreateReservation(IObjectProducer producer) => new(_cluster, _nextId()) { Producer = producer };

    /// <summary>Notifies the deadlock detector, which is created by the first wait, of a wait that has begun.</summary>
    public void OnWaitStarted()
    {
        if (_detectsDeadlocks)
            (Volatile.Read(ref _deadlocks) ?? Interlocked.CompareExchange(ref _deadlocks, new(Observe, Time), null) ?? _deadlocks).Arm();
    }

    /// <summary>Adds waiting tasks and calls, and the resources they hold.</summary>
    internal void Observe(WaitingTaskSnapshot snapshot)
    {
        ResourceLease[] all;
        lock (_sync)
            all = [.. _slots];
        var tasks = new List<TaskExecution>();
        foreach (var lease in all)
        {
            tasks.Clear();
            lease.AddTasks(tasks);
            tasks.RemoveAll(static task => task.IsFinished || !task.IsWaiting);
            if (tasks.Count == 0)
                continue;
            ObjectRef[] waiting = [.. tasks.Select(task => task.Reference)];
            snapshot.Waiting.AddRange(waiting);
            if (lease.RetainedResources is { Count: > 0 } held)
            {
                snapshot.Holders.Add(new(lease.Ledger, held, waiting, string.Join(" and ", tasks.Select(task => task.Label)))
                {
                    Queue = lease.Queue,
                    RunsOthers = lease.AcceptsMoreTasks,
                });
            }
        }

        Observing?.Invoke(snapshot);
    }
}

/// <content>Removal of placement groups.</content>
public sealed partial class TaskDispatcher : IPlacementGroupOccupant
{
    /// <summary>Whether leases return their resources after each task because a placement group waits for them.</summary>
    public bool IsGroupWaiting { get; set; }

    void IPlacementGroupOccupant.CancelGroupWork(PlacementGroup group)
    {
        foreach (var task in ListUnfinished())
        {
            if (task.Group == group)
                task.CancelWithGroup();
        }
    }

    void IPlacementGroupOccupant.SetGroupWaiting(bool waits) => IsGroupWaiting = waits;

    void IPlacementGroupOccupant.OnBundlesLost() => RefreshLedgers();
}
