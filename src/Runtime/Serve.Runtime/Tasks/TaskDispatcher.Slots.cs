namespace Serve.Runtime.Tasks;

/// <summary>Who gets resources next.</summary>
internal sealed partial class TaskDispatcher
{
    /// <summary>How long the first one that finds no room holds up those behind it while nothing moves.</summary>
    public static readonly TimeSpan FirstPatience = TimeSpan.FromMilliseconds(50);

    private readonly List<TaskQueue> waiting = [];
    private Queue<(TaskSlot Slot, IResumable Waiter)>? returning;
    private readonly List<TaskQueue> lacking = [];
    private volatile int waitingCount;
    private volatile int returningCount;
    private long grants;
    private bool isTimed;

    /// <summary>Tries again when a ledger has something free.</summary>
    public void Follow(ResourceLedger ledger) => ledger.Tell(OnReleased);

    /// <summary>A queue has a task and nobody on the way to it.</summary>
    public void Request(TaskQueue queue)
    {
        lock (sync)
        {
            queues.Add(queue);
            Wait(queue);
            Serve();
        }
    }

    /// <summary>Whether a slot has to give its resources back rather than go on with its queue.</summary>
    public bool HasToYield(TaskQueue queue)
    {
        if (isDisposed)
            return false;
        if (IsGroupWaiting && queue.Group is null)
            return true;
        if (returningCount == 0 && waitingCount <= (queue.IsWaiting ? 1 : 0))
            return false;
        lock (sync)
            return returningCount > 0 || IsPreceded(queue);
    }

    /// <summary>A slot is done.</summary>
    public void Leave(TaskSlot slot, ResourceAllocation held)
    {
        lock (sync)
        {
            var last = slots[^1];
            slots[slot.Index] = last;
            last.Index = slot.Index;
            slots.RemoveAt(slots.Count - 1);
        }

        slot.Queue.Trim();
        slot.Ledger.Release(held);
        if (!slot.Queue.IsEmpty && !slot.Queue.IsWaiting)
            Request(slot.Queue);
    }

    /// <summary>A task that has waited needs the CPU back that its slot has lent.</summary>
    public void TakeBack(TaskSlot slot, IResumable waiter)
    {
        lock (sync)
        {
            returning ??= [];
            returning.Enqueue((slot, waiter));
            returningCount = returning.Count;
            ServeReturning();
        }
    }

    /// <summary>A task waits again whose slot has not got its CPU back since: it holds up nobody that needs one.</summary>
    public void WaitsAgain() => OnReleased();

    private bool IsPreceded(TaskQueue queue)
    {
        var first = queue.First;
        foreach (var other in waiting)
        {
            if (other != queue && !other.IsEmpty && Precedes(other, queue, first) && SharesLedger(other, queue))
                return true;
        }

        return false;
    }

    private static bool Precedes(TaskQueue other, TaskQueue queue, long first) =>
        other.Priority > queue.Priority || (other.Priority == queue.Priority && other.First < first);

    private static bool SharesLedger(TaskQueue other, TaskQueue queue)
    {
        foreach (var ledger in other.Ledgers)
        {
            foreach (var own in queue.Ledgers)
            {
                if (ledger == own)
                    return true;
            }
        }

        return false;
    }

    private void OnReleased()
    {
        if (waitingCount == 0 && returningCount == 0)
            return;
        lock (sync)
        {
            ServeReturning();
            Serve();
        }
    }

    private void Wait(TaskQueue queue)
    {
        if (queue.IsWaiting)
            return;
        queue.IsWaiting = true;
        waiting.Add(queue);
        waitingCount = waiting.Count;
    }

    // Those that go on come before those that start: they hold memory and other resources already.
    private void ServeReturning()
    {
        if (returning is null)
            return;
        var count = returning.Count;
        ResourceLedger? full = null;
        for (var i = 0; i < count; i++)
        {
            var (slot, waiter) = returning.Dequeue();
            if (!slot.LacksCpu)
            {
                // Another task of the slot has brought the CPU back for both, or nothing is left to bring it back for, or it waits again.
                waiter.Resume();
                continue;
            }

            if (slot.Ledger == full || !TryReserve(slot.Ledger, slot.Queue.CpuPart!, out var allocation))
            {
                full = slot.Ledger;

                // Whoever has it, an actor or a group, may live until this one has ended.
                if (!slot.Ledger.LeavesForTasks(slot.Queue.CpuPart!))
                {
                    waiter.Resume();
                    waiter = Going.On;
                }

                returning.Enqueue((slot, waiter));
                continue;
            }

            // It may have ended or wait again meanwhile: then nothing is needed any more. Released elsewhere, since that comes back here.
            if (!slot.TryTakeBack() && allocation is not null)
                ThreadPool.UnsafeQueueUserWorkItem(static unneeded => unneeded.Ledger.Release(unneeded.allocation), (slot.Ledger, allocation), preferLocal: false);
            waiter.Resume();
        }

        returningCount = returning.Count;
    }

    // In order. A queue that is served leaves the list: its slot asks for the next one when it finds more there.
    private void Serve()
    {
        if (waiting.Count > 1)
            waiting.Sort(static (a, b) => a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority) : a.First.CompareTo(b.First));
        lacking.Clear();
        var heldUp = false;
        for (var i = 0; i < waiting.Count; i++)
        {
            var queue = waiting[i];
            queue.IsWaiting = false;
            Interlocked.MemoryBarrier();
            if (queue.IsEmpty || !queue.TryLook())
            {
                waiting.RemoveAt(i--);
                continue;
            }

            if (TryGrant(queue, ref heldUp) is { } slot)
            {
                waiting.RemoveAt(i--);
                Threads.Start(slot);
                continue;
            }

            lacking.Add(queue);
            queue.IsWaiting = true;
            queue.Unlook();
        }

        waitingCount = waiting.Count;
        if (heldUp && !isTimed)
            StartPatience();
    }

    private TaskSlot? TryGrant(TaskQueue queue, ref bool heldUp)
    {
        foreach (var ledger in queue.Ledgers)
        {
            if (returningCount > 0 && queue.CpuPart is not null && IsReturningTo(ledger))
                continue;
            var holder = lacking.Count == 0 ? null : HeldUpBy(queue, ledger);
            if (holder is { Passes: 0 })
            {
                heldUp = true;
                continue;
            }

            if (!TryReserve(ledger, queue.Demand, out var allocation))
                continue;
            if (holder is not null)
                holder.Passes--;
            (queue.Passes, queue.Patience) = (0, FirstPatience);
            grants++;
            var slot = new TaskSlot(queue, ledger, allocation ?? new(ResourceDemand.None, [])) { Index = slots.Count };
            slots.Add(slot);
            return slot;
        }

        return null;
    }

    private bool IsReturningTo(ResourceLedger ledger)
    {
        foreach (var (slot, _) in returning!)
        {
            if (slot.Ledger == ledger)
                return true;
        }

        return false;
    }

    /// <summary>An earlier queue that waits for something that this one would take.</summary>
    private TaskQueue? HeldUpBy(TaskQueue queue, ResourceLedger ledger)
    {
        foreach (var earlier in lacking)
        {
            if (!SharesLedger(earlier, queue))
                continue;
            var wanted = earlier.Demand;
            for (var index = 0; index < wanted.Count; index++)
            {
                if (queue.Demand.UnitsOf(wanted.NameAt(index)) != 0 && ledger.Free(wanted.NameAt(index)) < wanted.UnitsAt(index))
                    return earlier;
            }
        }

        return null;
    }

    private bool TryReserve(ResourceLedger ledger, ResourceDemand demand, out ResourceAllocation? allocation)
    {
        allocation = null;
        if (isDisposed)
            return true;
        try
        {
            return ledger.TryReserve(demand, out allocation);
        }
        catch (InsufficientResourcesException)
        {
            // Its group is gone, and ends what is in it.
            return false;
        }
    }

    // What is held up might be what the holder of the resources waits for; and a large demand must not leave a machine idle for hours.
    private void StartPatience()
    {
        isTimed = true;
        var seen = grants;
        var first = lacking[0];
        ITimer? timer = null;
        timer = Time.CreateTimer(
            _ =>
            {
                timer?.Dispose();
                lock (sync)
                {
                    isTimed = false;
                    if (grants == seen && first.IsWaiting)
                    {
                        first.Passes = 1;
                        first.Patience *= 2;
                    }

                    Serve();
                }
            },
            null,
            first.Patience,
            Timeout.InfiniteTimeSpan);
    }
}
