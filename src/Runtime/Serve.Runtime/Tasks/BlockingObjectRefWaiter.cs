using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>Thread that blocks until an object is ready and its task has reacquired its CPU. Its state is written under its lock.</summary>
internal sealed class BlockingObjectRefWaiter : ObjectRefContinuation, IResumable
{
    private ObjectRefWait? _wait;
    private bool _isReady;
    private bool _mayGoOn;

    /// <summary>Blocks the calling thread.</summary>
    /// <returns>Whether the object was ready in time.</returns>
    public bool Wait(ObjectRef reference, TaskContext? context, TimeSpan? timeout)
    {
        // A wait with a timeout cannot be part of a deadlock.
        _wait = context?.BeginWait([reference], 1, timeout is null ? context.FlowOfThread : null);
        if (!reference.TryAddContinuation(this))
            Run();
        lock (this)
        {
            var clock = Stopwatch.GetTimestamp();
            while (!_isReady)
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

            if (_isReady)
            {
                while (!_mayGoOn)
                    Monitor.Wait(this);
                return true;
            }

            _isReady = true;
        }

        // Timed out: this thread ends the wait itself.
        EndWait();
        lock (this)
        {
            while (!_mayGoOn)
                Monitor.Wait(this);
        }

        return reference.IsReady;
    }

    public void Resume()
    {
        lock (this)
        {
            _mayGoOn = true;
            Monitor.PulseAll(this);
        }
    }

    public override void Run()
    {
        lock (this)
        {
            if (_isReady)
                return;
            _isReady = true;
            Monitor.PulseAll(this);
        }

        EndWait();
    }

    private void EndWait()
    {
        if (_wait is { } begun)
            begun.End(this);
        else
            Resume();
    }
}
