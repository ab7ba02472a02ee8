using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>A thread that blocks until one ref is ready, and until its task has its CPU back. Its state is written under its lock.</summary>
internal sealed class BlockedThread : RefContinuation, IResumable
{
    private RefWait? wait;
    private bool isReady;
    private bool mayGoOn;

    /// <summary>Whether the ref was ready in time.</summary>
    public bool Wait(ObjectRef reference, TaskContext? context, TimeSpan? timeout)
    {
        // A wait with a timeout is never stuck.
        wait = context?.BeginWait([reference], 1, timeout is null ? context.FlowOfThread : null);
        if (!reference.TryOnReady(this))
            Run();
        lock (this)
        {
            var clock = Stopwatch.GetTimestamp();
            while (!isReady)
            {
                if (timeout is not { } limit)
                {
                    Monitor.Wait(this);
                    continue;
                }

                var left = limit - Stopwatch.GetElapsedTime(clock);
                if (left <= TimeSpan.Zero || !Monitor.Wait(this, left))
                    break;
            }

            if (isReady)
            {
                while (!mayGoOn)
                    Monitor.Wait(this);
                return true;
            }

            isReady = true;
        }

        // Out of time: the thread ends the wait itself.
        EndWait();
        lock (this)
        {
            while (!mayGoOn)
                Monitor.Wait(this);
        }

        return reference.IsReady;
    }

    public void Resume()
    {
        lock (this)
        {
            mayGoOn = true;
            Monitor.PulseAll(this);
        }
    }

    internal override void Run()
    {
        lock (this)
        {
            if (isReady)
                return;
            isReady = true;
            Monitor.PulseAll(this);
        }

        EndWait();
    }

    private void EndWait()
    {
        if (wait is { } begun)
            begun.End(this);
        else
            Resume();
    }
}
