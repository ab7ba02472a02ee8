using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Sessions;

/// <summary>
/// The threads of a worker that run tasks: one task at a time, in the order in which they came, except that a task that waits for an object
/// does not count, so that the next may start. Its state is written under its lock.
/// </summary>
internal sealed class RunThreads
{
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(20);
    private readonly object sync = new();
    private readonly Queue<WorkerRun> queue = new();
    private int active;
    private int idle;
    private int starting;

    public void Enqueue(WorkerRun run)
    {
        lock (sync)
        {
            queue.Enqueue(run);
            Wake();
        }
    }

    /// <summary>Takes back whatever has not started.</summary>
    public IReadOnlyList<WorkerRun> Recall()
    {
        lock (sync)
        {
            WorkerRun[] waiting = [.. queue];
            queue.Clear();
            return waiting;
        }
    }

    /// <summary>The running task waits from here on, or has ended on another thread: the next may start.</summary>
    public void Leave()
    {
        lock (sync)
        {
            active--;
            Wake();
        }
    }

    /// <summary>The task goes on. It does not queue for that: whoever started meanwhile ends by itself.</summary>
    public void Enter()
    {
        lock (sync)
            active++;
    }

    // Under the lock.
    private void Wake()
    {
        if (active > 0 || queue.Count == 0)
            return;
        if (idle > 0)
        {
            Monitor.Pulse(sync);
        }
        else if (starting == 0)
        {
            starting++;
            new Thread(Loop, maxStackSize: 8 << 20) { IsBackground = true, Name = "serve tasks" }.UnsafeStart();
        }
    }

    private void Loop()
    {
        lock (sync)
            starting--;
        while (RunNext())
        {
        }
    }

    // A frame of its own: an idle thread must not keep the last task's objects alive on its stack.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool RunNext()
    {
        if (Take() is not { } run)
            return false;
        if (run.Execute())
        {
            lock (sync)
            {
                active--;
                Debug.Assert(active >= 0);
            }
        }

        return true;
    }

    private WorkerRun? Take()
    {
        lock (sync)
        {
            while (active > 0 || queue.Count == 0)
            {
                idle++;
                var woken = Monitor.Wait(sync, IdleLife);
                idle--;
                if (!woken && (active > 0 || queue.Count == 0))
                    return null;
            }

            active++;
            return queue.Dequeue();
        }
    }
}
