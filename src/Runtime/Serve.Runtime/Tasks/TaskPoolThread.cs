namespace Serve.Runtime.Tasks;

/// <summary>One thread of <see cref="TaskThreadPool"/>: runs what it is handed, then waits for more. Its state is written under its own lock.</summary>
internal sealed class TaskPoolThread(TaskThreadPool owner)
{
    private IThreadPoolWorkItem? _work;
    private bool _ended;

    /// <summary>Hands over work; the thread is in nobody's hands then, neither running nor known as idle.</summary>
    public void Assign(IThreadPoolWorkItem item)
    {
        lock (this)
        {
            _work = item;
            Monitor.Pulse(this);
        }
    }

    /// <summary>Has it end instead of waiting on.</summary>
    public void Stop()
    {
        lock (this)
        {
            _ended = true;
            Monitor.Pulse(this);
        }
    }

    /// <summary>Starts it with its first work.</summary>
    public void Start(IThreadPoolWorkItem first)
    {
        _work = first;

        // Unsafe: a thread outlives the work it was started for and must not keep its execution context.
        new Thread(Loop) { IsBackground = true, Name = "serve core" }.UnsafeStart();
    }

    private void Loop()
    {
        var clean = ExecutionContext.Capture();
        while (RunNext(clean))
        {
        }

        owner.OnThreadExited();
    }

    // A frame of its own: an idle thread must not keep the last work, and with it user code that is to be unloaded, alive on its stack.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private bool RunNext(ExecutionContext? clean)
    {
        if (Take() is not { } item)
            return false;
        TaskThreadPool.Run(item, clean);
        return true;
    }

    private IThreadPoolWorkItem? Take()
    {
        if (Interlocked.Exchange(ref _work, null) is { } first)
            return first;
        if (owner.SpinForWork() is { } offered)
            return offered;
        if (!owner.TryPark(this))
            return null;
        lock (this)
        {
            while (_work is null && !_ended)
            {
                if (!Monitor.Wait(this, TaskThreadPool.IdleTimeout) && _work is null && owner.TryUnpark(this))
                    return null;
            }

            (var given, _work) = (_work, null);
            return given;
        }
    }
}
