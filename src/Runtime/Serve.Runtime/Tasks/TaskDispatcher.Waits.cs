namespace Serve.Runtime.Tasks;

/// <content>Who waits, for whoever looks for deadlocks.</content>
internal sealed partial class TaskDispatcher
{
    private Deadlocks? deadlocks;

    /// <summary>Told that someone looks for deadlocks: for the actors, to tell of theirs.</summary>
    public event Action<WaitSnapshot>? Observing;

    /// <summary>Made with the first task that waits.</summary>
    public Deadlocks Deadlocks => Volatile.Read(ref deadlocks) ?? Interlocked.CompareExchange(ref deadlocks, new(Observe, Time), null) ?? deadlocks;

    /// <summary>Tells who waits and who holds what.</summary>
    public void Observe(WaitSnapshot seen)
    {
        TaskSlot[] all;
        lock (sync)
            all = [.. slots];
        var tasks = new List<SubmittedTask>();
        foreach (var slot in all)
        {
            tasks.Clear();
            slot.AddTasks(tasks);
            tasks.RemoveAll(static task => task.IsOver || !task.IsWaiting);
            if (tasks.Count == 0)
                continue;
            ObjectRef[] waiting = [.. tasks.Select(task => task.Reference)];
            seen.Waiting.AddRange(waiting);
            if (slot.Kept is { Count: > 0 } kept)
            {
                seen.Holders.Add(new(slot.Ledger, kept, waiting, string.Join(" and ", tasks.Select(task => task.Label)))
                {
                    Queue = slot.Queue,
                    GoesOn = slot.Fills,
                });
            }
        }

        Observing?.Invoke(seen);
    }
}
