namespace Serve.Runtime.Tasks;

/// <summary>Who gets resources next.</summary>
internal sealed partial class TaskDispatcher
{
    /// <summary>How long the first one that finds no room holds up those behind it while nothing moves.</summary>
    public static readonly TimeSpan InitialOvertakeBlock = TimeSpan.FromMilliseconds(50);

    private readonly List<TaskQueue> _waiting = [];
    private Queue<(ResourceLease Slot, IResumable Waiter)>? _returning;
    private readonly List<TaskQueue> _lacking = [];
    private volatile int _waitingCount;
    private volatile int _returningCount;
    private long _grants;
    private bool _isTimed;

    /// <summary>Tries again when a ledger has something free.</summary>
    public void SubscribeTo(ResourceLedger ledger) => ledger.Tell(OnReleased);

    /// <summary>A queue has a task and nobody on the way to it.</summary>
    public void RequestLease(TaskQueue queue)
    {
        lock (_sync)
        {
            _queues.Add(queue);
            AddWaiting(queue);
            GrantLeases();
        }
    }

    /// <summary>Whether a slot has to give its resources back rather than go on with its queue.</summary>
    public bool MustYield(TaskQueue queue)
    {
        if (_isDisposed)
            return false;
        if (IsGroupWaiting && queue.Group is null)
            return true;
        if (_returningCount == 0 && _waitingCount <= (queue.IsWaitingForResources ? 1 : 0))
            return false;
        lock (_sync)
            return _returningCount > 0 || IsPreceded(queue);
    }

    /// <summary>A slot is done.</summary>
    public void ReturnLease(ResourceLease slot, ResourceAllocation held)
    {
        lock (_sync)
        {
            var last = _slots[^1];
            _slots[slot.Index] = last;
            last.Index = slot.Index;
            _slots.RemoveAt(_slots.Count - 1);
        }

        slot.Queue.Trim();
        slot.Ledger.Release(held);
        if (!slot.Queue.IsEmpty && !slot.Queue.IsWaitingForResources)
            RequestLease(slot.Queue);
    }

    /// <summary>A task that has waited needs the CPU back that its slot has lent.</summary>
    public void ReacquireCpu(ResourceLease slot, IResumable waiter)
    {
        lock (_sync)
        {
            _returning ??= [];
            _returning.Enqueue((slot, waiter));
            _returningCount = _returning.Count;
            GrantReacquisitions();
        }
    }

    /// <summary>A task waits again whose slot has not got its CPU back since: it holds up nobody that needs one.</summary>
    public void OnWaitsAgain() => OnReleased();

    private bool IsPreceded(TaskQueue queue)
    {
        var first = queue.FirstTaskNumber;
        foreach (var other in _waiting)
        {
            if (other != queue && !other.IsEmpty && Precedes(other, queue, first) && SharesLedger(other, queue))
                return true;
        }

        return false;
    }

    private static bool Precedes(TaskQueue other, TaskQueue queue, long first) =>
        other.Priority > queue.Priority || (other.Priority == queue.Priority && other.FirstTaskNumber < first);

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
        if (_waitingCount == 0 && _returningCount == 0)
            return;
        lock (_sync)
        {
            GrantReacquisitions();
            GrantLeases();
        }
    }

    private void AddWaiting(TaskQueue queue)
    {
        if (queue.IsWaitingForResources)
            return;
        queue.IsWaitingForResources = true;
        _waiting.Add(queue);
        _waitingCount = _waiting.Count;
    }

    // Those that go on come before those that start: they hold memory and other resources already.
    private void GrantReacquisitions()
    {
        if (_returning is null)
            return;
        var count = _returning.Count;
        ResourceLedger? full = null;
        for (var i = 0; i < count; i++)
        {
            var (slot, waiter) = _returning.Dequeue();
            if (!slot.NeedsCpu)
            {
                // Another task of the slot has brought the CPU back for both, or nothing is left to bring it back for, or it waits again.
                waiter.Resume();
                continue;
            }

            if (slot.Ledger == full || !TryReserve(slot.Ledger, slot.Queue.ReleasableCpu!, out var allocation))
            {
                full = slot.Ledger;

                // Whoever has it, an actor or a group, may live until this one has ended.
                if (!slot.Ledger.LeavesForTasks(slot.Queue.ReleasableCpu!))
                {
                    waiter.Resume();
                    waiter = NoOpResumable.On;
                }

                _returning.Enqueue((slot, waiter));
                continue;
            }

            // It may have ended or wait again meanwhile: then nothing is needed any more. Released elsewhere, since that comes back here.
            if (!slot.TryAcceptCpu() && allocation is not null)
                ThreadPool.UnsafeQueueUserWorkItem(static unneeded => unneeded.Ledger.Release(unneeded.allocation), (slot.Ledger, allocation), preferLocal: false);
            waiter.Resume();
        }

        _returningCount = _returning.Count;
    }

    // In order. A queue that is served leaves the list: its slot asks for the next one when it finds more there.
    private void GrantLeases()
    {
        if (_waiting.Count > 1)
            _waiting.Sort(static (a, b) => a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority) : a.FirstTaskNumber.CompareTo(b.FirstTaskNumber));
        _lacking.Clear();
        var heldUp = false;
        for (var i = 0; i < _waiting.Count; i++)
        {
            var queue = _waiting[i];
            queue.IsWaitingForResources = false;
            Interlocked.MemoryBarrier();
            if (queue.IsEmpty || !queue.TryBeginPoll())
            {
                _waiting.RemoveAt(i--);
                continue;
            }

            if (TryGrantLease(queue, ref heldUp) is { } slot)
            {
                _waiting.RemoveAt(i--);
                Threads.RunNow(slot);
                continue;
            }

            _lacking.Add(queue);
            queue.IsWaitingForResources = true;
            queue.CancelPoll();
        }

        _waitingCount = _waiting.Count;
        if (heldUp && !_isTimed)
            StartOvertakeBlockTimer();
    }

    private ResourceLease? TryGrantLease(TaskQueue queue, ref bool heldUp)
    {
        foreach (var ledger in queue.Ledgers)
        {
            if (_returningCount > 0 && queue.ReleasableCpu is not null && IsReturningTo(ledger))
                continue;
            var holder = _lacking.Count == 0 ? null : FindBlockingQueue(queue, ledger);
            if (holder is { RemainingOvertakes: 0 })
            {
                heldUp = true;
                continue;
            }

            if (!TryReserve(ledger, queue.Demand, out var allocation))
                continue;
            if (holder is not null)
                holder.RemainingOvertakes--;
            (queue.RemainingOvertakes, queue.OvertakeBlockDuration) = (0, InitialOvertakeBlock);
            _grants++;
            var slot = new ResourceLease(queue, ledger, allocation ?? new(ResourceDemand.None, [])) { Index = _slots.Count };
            _slots.Add(slot);
            return slot;
        }

        return null;
    }

    private bool IsReturningTo(ResourceLedger ledger)
    {
        foreach (var (slot, _) in _returning!)
        {
            if (slot.Ledger == ledger)
                return true;
        }

        return false;
    }

    /// <summary>An earlier queue that waits for something that this one would take.</summary>
    private TaskQueue? FindBlockingQueue(TaskQueue queue, ResourceLedger ledger)
    {
        foreach (var earlier in _lacking)
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
        if (_isDisposed)
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
    private void StartOvertakeBlockTimer()
    {
        _isTimed = true;
        var seen = _grants;
        var first = _lacking[0];
        ITimer? timer = null;
        timer = Time.CreateTimer(
            _ =>
            {
                timer?.Dispose();
                lock (_sync)
                {
                    _isTimed = false;
                    if (_grants == seen && first.IsWaitingForResources)
                    {
                        first.RemainingOvertakes = 1;
                        first.OvertakeBlockDuration *= 2;
                    }

                    GrantLeases();
                }
            },
            null,
            first.OvertakeBlockDuration,
            Timeout.InfiniteTimeSpan);
    }
}
