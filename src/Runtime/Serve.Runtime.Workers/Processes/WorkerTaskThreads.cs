using System.Diagnostics;
using System.Runtime.CompilerServices;
using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// Threads of a worker that run tasks: one task at a time, in order of arrival. A task that waits for an object
/// does not count, so that the next one may start. State is written under the lock.
/// </summary>
internal sealed class WorkerTaskThreads
{
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(20);
    private readonly object _sync = new();
    private readonly Queue<TaskInvocation> _queue = new();
    private int _active;
    private int _idle;
    private int _starting;

    public void Enqueue(TaskInvocation run)
    {
        lock (_sync)
        {
            _queue.Enqueue(run);
            Wake();
        }
    }

    /// <summary>Removes the tasks that have not started.</summary>
    public IReadOnlyList<TaskInvocation> Recall()
    {
        lock (_sync)
        {
            TaskInvocation[] waiting = [.. _queue];
            _queue.Clear();
            return waiting;
        }
    }

    /// <summary>Releases the slot of a task that begins to wait, or has ended on another thread: the next task may start.</summary>
    public void ReleaseSlot()
    {
        lock (_sync)
        {
            _active--;
            Wake();
        }
    }

    /// <summary>Reacquires the slot of a task that continues. It does not wait for tasks that have started in the meantime.</summary>
    public void ReacquireSlot()
    {
        lock (_sync)
            _active++;
    }

    // Under the lock.
    private void Wake()
    {
        if (_active > 0 || _queue.Count == 0)
            return;
        if (_idle > 0)
        {
            Monitor.Pulse(_sync);
        }
        else if (_starting == 0)
        {
            _starting++;
            new Thread(Loop, maxStackSize: 8 << 20) { IsBackground = true, Name = "serve tasks" }.UnsafeStart();
        }
    }

    private void Loop()
    {
        lock (_sync)
            _starting--;
        while (RunNext())
        {
        }
    }

    // A stack frame of its own: an idle thread must not keep the objects of its last task alive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool RunNext()
    {
        if (Take() is not { } run)
            return false;
        if (run.Execute())
        {
            lock (_sync)
            {
                _active--;
                Debug.Assert(_active >= 0);
            }
        }

        return true;
    }

    private TaskInvocation? Take()
    {
        lock (_sync)
        {
            while (_active > 0 || _queue.Count == 0)
            {
                _idle++;
                var woken = Monitor.Wait(_sync, IdleLife);
                _idle--;
                if (!woken && (_active > 0 || _queue.Count == 0))
                    return null;
            }

            _active++;
            return _queue.Dequeue();
        }
    }
}
