using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>Looks at waits that last, for as long as there are any; whoever begins a wait does no more than have it look. Whether it looks is written with interlocked operations, its timer under its lock.</summary>
internal abstract class LongWaitPoller(TimeProvider time) : IThreadPoolWorkItem, IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    /// <summary>Looking takes one part in so many of a CPU's time, unless a look takes very long.</summary>
    private const int Share = 20;

    private readonly Lock _sync = new();
    private readonly Lock _looking = new();
    private int _armed;
    private ITimer? _timer;
    private volatile bool _isDisposed;

    /// <summary>A wait has begun.</summary>
    public void Arm()
    {
        // The wait is written before this is read, or else the last look would miss it.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _armed) == 0 && Interlocked.Exchange(ref _armed, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Dispose()
    {
        _isDisposed = true;
        lock (_sync)
            _timer?.Dispose();
    }

    void IThreadPoolWorkItem.Execute() => Schedule(Period);

    /// <summary>Looks.</summary>
    /// <returns>Whether anything waits.</returns>
    protected abstract bool Look();

    // Armed again while the last look goes on, it would begin another one beside that.
    private bool LookOnce()
    {
        lock (_looking)
        {
            try
            {
                return Look();
            }
            catch (Exception thrown)
            {
                // On a timer's thread it would end the program, which goes on without having been looked at.
                Debug.Fail(thrown.ToString());
                return true;
            }
        }
    }

    private void Schedule(TimeSpan delay)
    {
        lock (_sync)
        {
            if (_isDisposed)
                return;
            _timer ??= time.CreateTimer(static self => ((LongWaitPoller)self!).Run(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(delay, Timeout.InfiniteTimeSpan);
        }
    }

    private void Run()
    {
        if (_isDisposed)
            return;
        var began = Stopwatch.GetTimestamp();
        if (!LookOnce())
        {
            Interlocked.Exchange(ref _armed, 0);
            if (!LookOnce() || Interlocked.Exchange(ref _armed, 1) != 0)
                return;
        }

        var took = Stopwatch.GetElapsedTime(began) * Share;
        Schedule(took < Period ? Period : took < Longest ? took : Longest);
    }
}
