using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Resources that are reserved, and the tasks that run with them one after the other as long as there are more of the same demand. One
/// thread at a time takes tasks for it; what runs in it and what it has lent is written under its lock.
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

    /// <summary>When the last task ended, which is when the next one starts.</summary>
    public long LastEndTimestamp { get; set; }

    public ResourceLedger Ledger => ledger;

    public IReadOnlyList<int> GpuIds => allocation.GpuIds;

    /// <summary>What it keeps from others although all in it waits: everything but the CPU.</summary>
    public ResourceDemand RetainedResources => allocation.Demand.With(ResourceDemand.Cpu, 0);

    /// <summary>Where it stands in the dispatcher's list, which alone writes it.</summary>
    public int Index { get; set; }

    /// <summary>The task whose code its thread runs; null in a slot for workers.</summary>
    public TaskExecution? Current { get; private set; }

    private TaskDispatcher Dispatcher => queue.Dispatcher;

    /// <summary>Runs tasks until there is none, or others come first.</summary>
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

    /// <summary>A task in it has ended elsewhere than on the slot's thread.</summary>
    /// <param name="task">The task.</param>
    /// <param name="wasWaiting">Whether it was counted as one that waits.</param>
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

    /// <summary>Another task runs on the thread of one that waits for it, with the same resources.</summary>
    /// <returns>The one it was, for coming back.</returns>
    public TaskExecution? SwitchCurrent(TaskExecution? task)
    {
        var before = Current;
        Current = task;
        return before;
    }

    /// <summary>A task in it starts to wait.</summary>
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

    /// <summary>A task in it waits no longer.</summary>
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

    /// <summary>Whether it takes more tasks as soon as something in it that does not wait has ended, or does so at this moment.</summary>
    public bool AcceptsMoreTasks
    {
        get
        {
            lock (_sync)
                return queue.RunsInWorker && (_waiting < _running || _isArriving || Volatile.Read(ref _filling) != 0);
        }
    }

    /// <summary>Whether its CPU is with others and something in it does not wait. A task in a worker goes on before it has the CPU back, and may wait again by then.</summary>
    public bool NeedsCpu
    {
        get
        {
            lock (_sync)
                return _isLent && !_isGone && _waiting < _running;
        }
    }

    /// <summary>Its CPU was reserved for it again; false when it no longer needs it.</summary>
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

    /// <summary>Adds the tasks that run in it.</summary>
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

    // A moment, since giving the resources back and reserving them again costs more.
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

    // Several attempts may end at once, one of them while another is being started: one thread fills, for all of them.
    private void FillPipeline()
    {
        if (Interlocked.Increment(ref _filling) != 1)
            return;
        do
        {
            while (HasFreeCapacity() && !Dispatcher.MustYield(queue) && DequeueNext(spin: false) is { } task)
            {
                lock (_sync)
                {
                    _attempts.Add(task);
                    _running++;
                }

                task.RunOn(Dispatcher.Workers, this);
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

    // Also when the one that used it has ended, or was given back, and those that are left wait.
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
            return !_isGone && !_isLent && _running < Dispatcher.Workers.DepthOf(this);
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
