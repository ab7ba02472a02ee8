using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Reserved resources and the tasks that use them, one after the other, as long as tasks with the same demand remain. One thread at a time dequeues tasks for
/// it; its running tasks and released CPU are written under its lock.
/// </summary>
internal sealed class ResourceLease(TaskQueue queue, ResourceLedger ledger, ResourceAllocation allocation) : IThreadPoolWorkItem
{
    private const int Spins = 30;
    private readonly Lock _sync = new();
    private readonly List<TaskExecution> _attempts = [];
    private bool _isArriving = true;
    private int _filling;
    private int _running;
    private int _waiting;
    private bool _isLent;
    private bool _isGone;

    public TaskQueue Queue => queue;

    /// <summary>End of the last task, which is also the start of the next one.</summary>
    public long LastEndTimestamp { get; set; }

    public ResourceLedger Ledger => ledger;

    public IReadOnlyList<int> GpuIds => allocation.GpuIds;

    /// <summary>Resources that stay reserved while all tasks of the lease wait: everything except CPU.</summary>
    public ResourceDemand RetainedResources => allocation.Demand.With(ResourceDemand.Cpu, 0);

    /// <summary>Index in the dispatcher's list; written by the dispatcher.</summary>
    public int Index { get; set; }

    /// <summary>Task whose code runs on the lease's thread; null in a lease for workers.</summary>
    public TaskExecution? Current { get; private set; }

    private TaskDispatcher Dispatcher => queue.Dispatcher;

    /// <summary>Runs tasks until none remain or other queues have precedence.</summary>
    public void Execute()
    {
        if (queue.RunsInWorker)
        {
            FillPipeline();
            return;
        }

        var clean = ExecutionContext.Capture();
        LastEndTimestamp = Stopwatch.GetTimestamp();
        while (DequeueNext(spin: true) is { } task)
        {
            Current = task;
            _running = 1;
            var ended = task.RunOnCurrentThread(this);
            if (clean is not null && !ReferenceEquals(ExecutionContext.Capture(), clean))
                ExecutionContext.Restore(clean);
            if (SynchronizationContext.Current is not null)
                SynchronizationContext.SetSynchronizationContext(null);
            if (!ended)
                return;
            if (!TryKeepResources())
                break;
        }

        ReturnResources();
    }

    /// <summary>Called when a task has finished on a thread other than the lease's own.</summary>
    /// <param name="task">Finished task.</param>
    /// <param name="wasWaiting">Whether it was counted as waiting.</param>
    public void OnTaskEnded(TaskExecution task, bool wasWaiting)
    {
        if (queue.RunsInWorker)
        {
            lock (_sync)
            {
                _attempts.Remove(task);
                _running--;
                if (wasWaiting)
                    _waiting--;
            }

            FillPipeline();
        }
        else if (TryKeepResources())
        {
            Dispatcher.Threads.RunNow(this);
        }
        else
        {
            ReturnResources();
        }
    }

    /// <summary>Switches to another task that runs on the same thread and resources.</summary>
    /// <returns>Previous task, to be restored by the caller.</returns>
    public TaskExecution? SwitchCurrent(TaskExecution? task)
    {
        var before = Current;
        Current = task;
        return before;
    }

    /// <summary>Called when a task of the lease starts to wait.</summary>
    public void ReleaseCpu()
    {
        bool wasLent;
        lock (_sync)
        {
            _waiting++;
            wasLent = _isLent;
        }

        ReleaseCpuIfUnused();
        if (wasLent)
            Dispatcher.OnWaitsAgain();
    }

    /// <summary>Called when a task of the lease has finished waiting.</summary>
    public void ReacquireCpu(IResumable waiter)
    {
        bool wasLent;
        lock (_sync)
        {
            _waiting--;
            wasLent = _isLent;
        }

        if (wasLent)
            Dispatcher.ReacquireCpu(this, waiter);
        else
            waiter.Resume();
    }

    /// <summary>Whether the lease takes more tasks as soon as a running task finishes, or is doing so now.</summary>
    public bool AcceptsMoreTasks
    {
        get
        {
            lock (_sync)
                return queue.RunsInWorker && (_waiting < _running || _isArriving || Volatile.Read(ref _filling) != 0);
        }
    }

    /// <summary>
    /// Whether the lease has released its CPU although one of its tasks is running. A task in a worker continues before the CPU is reacquired, and may wait
    /// again by then.
    /// </summary>
    public bool NeedsCpu
    {
        get
        {
            lock (_sync)
                return _isLent && !_isGone && _waiting < _running;
        }
    }

    /// <summary>Accepts the reacquired CPU; false if it is no longer needed.</summary>
    public bool TryAcceptCpu()
    {
        lock (_sync)
        {
            if (!_isLent || _isGone || _waiting == _running)
                return false;
            _isLent = false;
            return true;
        }
    }

    /// <summary>Adds the running tasks of the lease to a list.</summary>
    public void AddTasks(List<TaskExecution> tasks)
    {
        lock (_sync)
            tasks.AddRange(_attempts);
        for (var task = Current; task is not null; task = task.OuterTask)
            tasks.Add(task);
    }

    private bool TryKeepResources()
    {
        Current = null;
        lock (_sync)
        {
            _running = 0;
            _waiting = 0;
            if (_isLent)
                return false;
        }

        return !Dispatcher.MustYield(queue);
    }

    private TaskExecution? DequeueNext(bool spin)
    {
        var task = queue.Dequeue();
        if (_isArriving)
        {
            _isArriving = false;
            queue.EndPoll();
        }

        return task is null && spin ? SpinForTask() : task;
    }

    // Spins briefly, because returning the resources and reserving them again costs more.
    private TaskExecution? SpinForTask()
    {
        if (Environment.ProcessorCount == 1 || !queue.TryBeginPoll())
            return null;
        TaskExecution? task = null;
        for (var i = 0; i < Spins && task is null && !Dispatcher.MustYield(queue); i++)
        {
            Thread.SpinWait(10);
            task = queue.Dequeue();
        }

        queue.EndPoll();
        LastEndTimestamp = Stopwatch.GetTimestamp();
        return task;
    }

    // Several attempts may finish concurrently, even while another one is being started: one thread fills the pipeline for all of them. Every caller increments
    // _filling after its change; the filling thread decrements it once per round and stops only at zero, so a change after its last round starts another one.
    private void FillPipeline()
    {
        if (Interlocked.Increment(ref _filling) != 1)
            return;
        do
        {
            while (HasFreeCapacity() && !ledger.IsClosedForGood && !Dispatcher.MustYield(queue) && DequeueNext(spin: false) is { } task)
            {
                lock (_sync)
                {
                    _attempts.Add(task);
                    _running++;
                }

                task.RunOn(Dispatcher.GetWorkers(ledger), this);
            }

            if (_isArriving)
            {
                _isArriving = false;
                queue.EndPoll();
            }
        }
        while (Interlocked.Decrement(ref _filling) != 0);
        if (IsUnused())
            ReturnResources();
        else
            ReleaseCpuIfUnused();
    }

    // Also called when the only running attempt has finished or was requeued while the others wait.
    private void ReleaseCpuIfUnused()
    {
        lock (_sync)
        {
            if (_waiting == 0 || _waiting < _running || _isLent || _isGone || queue.ReleasableCpu is null)
                return;
            _isLent = true;
        }

        ledger.Release(new(queue.ReleasableCpu, []));
    }

    private bool HasFreeCapacity()
    {
        lock (_sync)
            return !_isGone && !_isLent && _running < Dispatcher.GetWorkers(ledger).DepthOf(this);
    }

    private bool IsUnused()
    {
        lock (_sync)
            return _running == 0 && !_isGone && Volatile.Read(ref _filling) == 0;
    }

    private void ReturnResources()
    {
        ResourceAllocation held;
        lock (_sync)
        {
            if (_isGone)
                return;
            _isGone = true;
            held = _isLent ? new(allocation.Demand.With(ResourceDemand.Cpu, 0), allocation.GpuIds) : allocation;
        }

        Dispatcher.ReturnLease(this, held);
    }
}
