using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Resources that are reserved, and the tasks that run with them one after the other as long as there are more of the same demand. One
/// thread at a time takes tasks for it; what runs in it and what it has lent is written under its lock.
/// </summary>
internal sealed class TaskSlot(TaskQueue queue, ResourceLedger ledger, ResourceAllocation allocation) : IThreadPoolWorkItem
{
    private const int Spins = 30;
    private readonly Lock sync = new();
    private readonly List<SubmittedTask> attempts = [];
    private bool isArriving = true;
    private int filling;
    private int running;
    private int waiting;
    private bool isLent;
    private bool isGone;

    public TaskQueue Queue => queue;

    /// <summary>When the last task ended, which is when the next one starts.</summary>
    public long Clock { get; set; }

    public ResourceLedger Ledger => ledger;

    public IReadOnlyList<int> GpuIds => allocation.GpuIds;

    /// <summary>What it keeps from others although all in it waits: everything but the CPU.</summary>
    public ResourceDemand Kept => allocation.Demand.With(ResourceDemand.Cpu, 0);

    /// <summary>Where it stands in the dispatcher's list, which alone writes it.</summary>
    public int Index { get; set; }

    /// <summary>The task whose code its thread runs; null in a slot for workers.</summary>
    public SubmittedTask? Current { get; private set; }

    private TaskDispatcher Dispatcher => queue.Dispatcher;

    /// <summary>Runs tasks until there is none, or others come first.</summary>
    public void Execute()
    {
        if (queue.IsProcess)
        {
            Fill();
            return;
        }

        var clean = ExecutionContext.Capture();
        Clock = Stopwatch.GetTimestamp();
        while (Next(spin: true) is { } task)
        {
            Current = task;
            running = 1;
            var ended = task.RunHere(this);
            if (clean is not null && !ReferenceEquals(ExecutionContext.Capture(), clean))
                ExecutionContext.Restore(clean);
            if (SynchronizationContext.Current is not null)
                SynchronizationContext.SetSynchronizationContext(null);
            if (!ended)
                return;
            if (!MayGoOn())
                break;
        }

        Leave();
    }

    /// <summary>A task in it has ended elsewhere than on the slot's thread.</summary>
    /// <param name="task">The task.</param>
    /// <param name="wasWaiting">Whether it was counted as one that waits.</param>
    public void Ended(SubmittedTask task, bool wasWaiting)
    {
        if (queue.IsProcess)
        {
            lock (sync)
            {
                attempts.Remove(task);
                running--;
                if (wasWaiting)
                    waiting--;
            }

            Fill();
        }
        else if (MayGoOn())
        {
            Dispatcher.Threads.Start(this);
        }
        else
        {
            Leave();
        }
    }

    /// <summary>Another task runs on the thread of one that waits for it, with the same resources.</summary>
    /// <returns>The one it was, for coming back.</returns>
    public SubmittedTask? Switch(SubmittedTask? task)
    {
        var before = Current;
        Current = task;
        return before;
    }

    /// <summary>A task in it starts to wait.</summary>
    public void Lend()
    {
        bool wasLent;
        lock (sync)
        {
            waiting++;
            wasLent = isLent;
        }

        LendUnlessUsed();
        if (wasLent)
            Dispatcher.WaitsAgain();
    }

    /// <summary>A task in it waits no longer.</summary>
    public void TakeBack(IResumable waiter)
    {
        bool wasLent;
        lock (sync)
        {
            waiting--;
            wasLent = isLent;
        }

        if (wasLent)
            Dispatcher.TakeBack(this, waiter);
        else
            waiter.Resume();
    }

    /// <summary>Whether it takes more tasks as soon as something in it that does not wait has ended, or does so at this moment.</summary>
    public bool Fills
    {
        get
        {
            lock (sync)
                return queue.IsProcess && (waiting < running || isArriving || Volatile.Read(ref filling) != 0);
        }
    }

    /// <summary>Whether its CPU is with others and something in it does not wait. A task in a worker goes on before it has the CPU back, and may wait again by then.</summary>
    public bool LacksCpu
    {
        get
        {
            lock (sync)
                return isLent && !isGone && waiting < running;
        }
    }

    /// <summary>Its CPU was reserved for it again; false when it no longer needs it.</summary>
    public bool TryTakeBack()
    {
        lock (sync)
        {
            if (!isLent || isGone || waiting == running)
                return false;
            isLent = false;
            return true;
        }
    }

    /// <summary>Adds the tasks that run in it.</summary>
    public void AddTasks(List<SubmittedTask> tasks)
    {
        lock (sync)
            tasks.AddRange(attempts);
        for (var task = Current; task is not null; task = task.Outer)
            tasks.Add(task);
    }

    private bool MayGoOn()
    {
        Current = null;
        lock (sync)
        {
            running = 0;
            waiting = 0;
            if (isLent)
                return false;
        }

        return !Dispatcher.HasToYield(queue);
    }

    private SubmittedTask? Next(bool spin)
    {
        var task = queue.Take();
        if (isArriving)
        {
            isArriving = false;
            queue.Looked();
        }

        return task is null && spin ? Spin() : task;
    }

    // A moment, since giving the resources back and reserving them again costs more.
    private SubmittedTask? Spin()
    {
        if (Environment.ProcessorCount == 1 || !queue.TryLook())
            return null;
        SubmittedTask? task = null;
        for (var i = 0; i < Spins && task is null && !Dispatcher.HasToYield(queue); i++)
        {
            Thread.SpinWait(10);
            task = queue.Take();
        }

        queue.Looked();
        Clock = Stopwatch.GetTimestamp();
        return task;
    }

    // Several attempts may end at once, one of them while another is being started: one thread fills, for all of them.
    private void Fill()
    {
        if (Interlocked.Increment(ref filling) != 1)
            return;
        do
        {
            while (HasRoom() && !Dispatcher.HasToYield(queue) && Next(spin: false) is { } task)
            {
                lock (sync)
                {
                    attempts.Add(task);
                    running++;
                }

                task.RunIn(Dispatcher.Workers, this);
            }

            if (isArriving)
            {
                isArriving = false;
                queue.Looked();
            }
        }
        while (Interlocked.Decrement(ref filling) != 0);
        if (IsUnused())
            Leave();
        else
            LendUnlessUsed();
    }

    // Also when the one that used it has ended, or was given back, and those that are left wait.
    private void LendUnlessUsed()
    {
        lock (sync)
        {
            if (waiting == 0 || waiting < running || isLent || isGone || queue.CpuPart is null)
                return;
            isLent = true;
        }

        ledger.Release(new(queue.CpuPart, []));
    }

    private bool HasRoom()
    {
        lock (sync)
            return !isGone && !isLent && running < Dispatcher.Workers.DepthOf(this);
    }

    private bool IsUnused()
    {
        lock (sync)
            return running == 0 && !isGone && Volatile.Read(ref filling) == 0;
    }

    private void Leave()
    {
        ResourceAllocation held;
        lock (sync)
        {
            if (isGone)
                return;
            isGone = true;
            held = isLent ? new(allocation.Demand.With(ResourceDemand.Cpu, 0), allocation.GpuIds) : allocation;
        }

        Dispatcher.Leave(this, held);
    }
}
