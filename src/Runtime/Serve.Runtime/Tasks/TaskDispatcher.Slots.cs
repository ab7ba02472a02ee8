using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Tasks;

/// <content>Grants resources to queues, in order.</content>
public sealed partial class TaskDispatcher
{
    /// <summary>How long a queue that does not fit blocks later queues while no resources are granted.</summary>
    public static readonly TimeSpan InitialOvertakeBlock = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan StarvationWarningDelay = TimeSpan.FromSeconds(5);

    private readonly List<TaskQueue> _waiting = [];
    private Queue<(ResourceLease Slot, IResumable Waiter)>? _returning;
    private readonly List<TaskQueue> _lacking = [];
    private volatile int _waitingCount;
    private volatile int _returningCount;
    private long _grants;
    private bool _isTimed;
    private bool _isStarvationTimed;

    /// <summary>Retries waiting queues whenever the ledger releases resources.</summary>
    public void SubscribeTo(ResourceLedger ledger) => ledger.SubscribeReleased(OnReleased);

    /// <summary>Requests a lease for a queue that has tasks and no lease on its way.</summary>
    internal void RequestLease(TaskQueue queue)
    {
        lock (_sync)
        {
            _queues.Add(queue);
            AddWaiting(queue);
            GrantLeases();
        }
    }

    /// <summary>Returns whether a lease must return its resources instead of continuing with its queue.</summary>
    internal bool MustYield(TaskQueue queue)
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

    /// <summary>Returns the resources of a finished lease.</summary>
    internal void ReturnLease(ResourceLease slot, ResourceAllocation held)
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

    /// <summary>Reserves the CPU again that a lease released while its task waited, and then resumes the task.</summary>
    internal void ReacquireCpu(ResourceLease slot, IResumable waiter)
    {
        lock (_sync)
        {
            _returning ??= [];
            _returning.Enqueue((slot, waiter));
            _returningCount = _returning.Count;
            GrantReacquisitions();
        }
    }

    /// <summary>Re-evaluates waiting queues because a task waits again before its lease has reacquired its CPU.</summary>
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

    // Tasks that resume have precedence over tasks that start: they already hold memory and other resources.
    private void GrantReacquisitions()
    {
        if (_returning is null)
            return;
        var count = _returning.Count;
        ResourceLedger? full = null;
        for (var i = 0; i < count; i++)
        {
            var (slot, waiter) = _returning.Dequeue();
            if (_isDisposed || !slot.NeedsCpu)
            {
                // The cluster was disposed, another task of the lease has reacquired the CPU for both, no task needs it any more, or the task waits again.
                waiter.Resume();
                continue;
            }

            if (slot.Ledger == full || !TryReserve(slot.Ledger, slot.Queue.ReleasableCpu!, out var allocation))
            {
                full = slot.Ledger;

                // The CPU is held by an actor or a placement group, which may live until this task has finished: resume without a CPU.
                if (!slot.Ledger.LeavesForTasks(slot.Queue.ReleasableCpu!))
                {
                    waiter.Resume();
                    waiter = NoOpResumable.On;
                }

                _returning.Enqueue((slot, waiter));
                continue;
            }

            // The task may have finished or started to wait again in the meantime; the CPU is then not needed. It is released on another thread because a
            // release re-enters this method.
            if (!slot.TryAcceptCpu() && allocation is not null)
                ThreadPool.UnsafeQueueUserWorkItem(static unneeded => unneeded.Ledger.Release(unneeded.allocation), (slot.Ledger, allocation), preferLocal: false);
            waiter.Resume();
        }

        _returningCount = _returning.Count;
    }

    // In order of priority and age. A queue that gets a lease is removed from the list; its lease requests the next one if more tasks remain.
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

            if (IsMisplaced(queue))
            {
                _waiting.RemoveAt(i--);
                queue.CancelPoll();
                ThreadPool.UnsafeQueueUserWorkItem(FailMisplaced, queue, preferLocal: false);
                continue;
            }

            _lacking.Add(queue);
            queue.IsWaitingForResources = true;
            queue.CancelPoll();
        }

        _waitingCount = _waiting.Count;
        if (heldUp && !_isTimed)
            StartOvertakeBlockTimer();
        if (_lacking.Count > 0 && !_isStarvationTimed)
            StartStarvationTimer();
    }

    private ResourceLease? TryGrantLease(TaskQueue queue, ref bool heldUp)
    {
        foreach (var ledger in queue.Ledgers)
        {
            if ((_returningCount > 0 && queue.ReleasableCpu is not null && IsReturningTo(ledger)) || (!queue.RunsInWorker && !_nodes.IsLocal(ledger)))
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
            queue.IsStarvationReported = false;
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

    /// <summary>Returns an earlier queue that waits for a resource which this queue would take; null if there is none.</summary>
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
            // The placement group was removed; it cancels its tasks.
            return false;
        }
    }

    private void StartStarvationTimer()
    {
        _isStarvationTimed = true;
        ITimer? timer = null;
        timer = Time.CreateTimer(
            _ =>
            {
                timer?.Dispose();
                lock (_sync)
                {
                    _isStarvationTimed = false;
                    ReportStarvation();
                    if (_waiting.Exists(static queue => !queue.IsEmpty && !queue.IsStarvationReported))
                        StartStarvationTimer();
                }
            },
            null,
            StarvationWarningDelay,
            Timeout.InfiniteTimeSpan);
    }

    // Tasks release their CPU sooner or later; actors and placement groups may keep it until the waiting task has ended.
    private void ReportStarvation()
    {
        if (_isDisposed)
            return;
        foreach (var queue in _waiting)
        {
            if (queue.IsStarvationReported || queue.ReleasableCpu is not { } cpu || Array.Exists(queue.Ledgers, ledger => ledger.LeavesForTasks(cpu)) || queue.Tasks.FirstOrDefault(static task => !task.IsFinished) is not { } first)
                continue;
            queue.IsStarvationReported = true;
            Log.Starved(Logger, first.Label, queue.Demand);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1012, Level = LogLevel.Warning, Message = "{Task} requires {Demand}, but actors and placement groups hold so much CPU that it cannot start before one of them ends. Start it in the placement group (TaskOptions.Scheduling, or CaptureChildTasks for child tasks), set NumCpus to 0, or raise the cluster's NumCpus")]
        public static partial void Starved(ILogger logger, string task, ResourceDemand demand);
    }

    // The holders of the resources may wait for the blocked tasks, and a large demand must not keep a machine idle. Overtaking is therefore allowed
    // after a while.
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
