using System.Runtime.CompilerServices;

namespace Serve.Runtime.Turns;

/// <summary>
/// Threads for code that blocks: one thread for each running work item, kept for a while after the work has ended. The number of threads is bounded
/// by the concurrency limits of the actors. State is guarded by <c>_sync</c>.
/// </summary>
internal sealed class DedicatedThreadPool
{
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(20);
    private readonly object _sync = new();
    private readonly Queue<(Action<object?> Work, object? State)> _waiting = new();
    private int _idle;
    private int _starting;

    public static DedicatedThreadPool Shared { get; } = new();

    /// <summary>Runs a work item on a dedicated thread immediately. The work item must not throw.</summary>
    public void Run(Action<object?> work, object? state)
    {
        bool start;
        lock (_sync)
        {
            _waiting.Enqueue((work, state));
            start = _waiting.Count > _idle + _starting;
            if (start)
                _starting++;
            else
                Monitor.Pulse(_sync);
        }

        // UnsafeStart: the thread outlives the work that it was started for and must not capture that execution context.
        if (start)
            new Thread(Loop) { IsBackground = true, Name = "serve blocking" }.UnsafeStart();
    }

    private void Loop()
    {
        var first = true;
        while (RunNext(first))
            first = false;
    }

    // Not inlined: the stack of an idle thread must not keep the last work item alive, and with it user code that is to be unloaded.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool RunNext(bool first)
    {
        if (Take(first) is not var (work, state))
            return false;
        work(state);
        return true;
    }

    private (Action<object?> Work, object? State)? Take(bool first)
    {
        lock (_sync)
        {
            if (first)
                _starting--;
            while (_waiting.Count == 0)
            {
                _idle++;
                var woken = Monitor.Wait(_sync, IdleLife);
                _idle--;
                if (!woken && _waiting.Count == 0)
                    return null;
            }

            return _waiting.Dequeue();
        }
    }
}
