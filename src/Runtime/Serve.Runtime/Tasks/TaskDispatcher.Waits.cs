namespace Serve.Runtime.Tasks;

/// <content>Who waits, for whoever looks for deadlocks.</content>
internal sealed partial class TaskDispatcher
{
    private DeadlockDetector? _deadlocks;

    /// <summary>Told that someone looks for deadlocks: for the actors, to tell of theirs.</summary>
    public event Action<WaitingTaskSnapshot>? Observing;

    /// <summary>Made with the first task that waits.</summary>
    public DeadlockDetector Deadlocks => Volatile.Read(ref _deadlocks) ?? Interlocked.CompareExchange(ref _deadlocks, new(Observe, Time), null) ?? _deadlocks;

    /// <summary>Tells who waits and who holds what.</summary>
    public void Observe(WaitingTaskSnapshot seen)
    {
        ResourceLease[] all;
        lock (_sync)
            all = [.. _slots];
        var tasks = new List<TaskExecution>();
        foreach (var slot in all)
        {
            tasks.Clear();
            slot.AddTasks(tasks);
            tasks.RemoveAll(static task => task.IsFinished || !task.IsWaiting);
            if (tasks.Count == 0)
                continue;
            ObjectRef[] waiting = [.. tasks.Select(task => task.Reference)];
            seen.Waiting.AddRange(waiting);
            if (slot.RetainedResources is { Count: > 0 } kept)
            {
                seen.Holders.Add(new(slot.Ledger, kept, waiting, string.Join(" and ", tasks.Select(task => task.Label)))
                {
                    Queue = slot.Queue,
                    GoesOn = slot.AcceptsMoreTasks,
                });
            }
        }

        Observing?.Invoke(seen);
    }
}
