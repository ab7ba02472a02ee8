using System.Diagnostics;
using Serve.Runtime.Execution;
using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// Runs the tasks of a worker one at a time, in FIFO order. A task that waits for an object releases its slot, so that the next task may start; when it continues, it
/// does not queue again. State is written under one lock.
/// </summary>
internal sealed class WorkerTaskThreads : IThreadPoolWorkItem
{
    private static readonly DedicatedThreadPool Threads = new("worker tasks", stackSize: 8 << 20);
    private readonly object _sync = new();
    private readonly Queue<TaskInvocation> _queue = new();
    private int _active;
    private bool _isRequested;

    public void Enqueue(TaskInvocation run)
    {
        lock (_sync)
        {
            _queue.Enqueue(run);
            RequestThread();
        }
    }

    /// <summary>Removes and returns all tasks that have not started.</summary>
    public IReadOnlyList<TaskInvocation> Recall()
    {
        lock (_sync)
        {
            TaskInvocation[] waiting = [.. _queue];
            _queue.Clear();
            return waiting;
        }
    }

    /// <summary>Called when the running task starts to wait, or has ended on another thread: the next task may start.</summary>
    public void ReleaseSlot()
    {
        lock (_sync)
        {
            _active--;
            RequestThread();
        }
    }

    /// <summary>Called when a task continues after it waited. It does not queue: a task that started in the meantime keeps running concurrently.</summary>
    public void ReacquireSlot()
    {
        lock (_sync)
            _active++;
    }

    /// <summary>Runs queued tasks while no other task is active; called by the thread pool.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        var clean = ExecutionContext.Capture();
        lock (_sync)
            _isRequested = false;
        while (RunNext(clean))
        {
        }
    }

    private bool RunNext(ExecutionContext? clean)
    {
        TaskInvocation run;
        lock (_sync)
        {
            if (_active > 0 || !_queue.TryDequeue(out run!))
                return false;
            _active++;
        }

        var hasEnded = run.Execute();
        if (clean is not null && !ReferenceEquals(ExecutionContext.Capture(), clean))
            ExecutionContext.Restore(clean);
        if (hasEnded)
        {
            lock (_sync)
            {
                _active--;
                Debug.Assert(_active >= 0);
            }
        }

        return true;
    }

    // Under the lock.
    private void RequestThread()
    {
        if (_active > 0 || _queue.Count == 0 || _isRequested)
            return;
        _isRequested = true;
        Threads.Start(this);
    }
}
