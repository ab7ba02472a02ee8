using System.Runtime.CompilerServices;

namespace Serve.Runtime.Turns;

/// <summary>
/// Threads for code that blocks: one per piece of work that runs, kept a while for the next. As many as there is work at once, which the
/// actors' gates bound. Its state is written under its lock.
/// </summary>
internal sealed class DedicatedThreadPool
{
    private static readonly TimeSpan IdleLife = TimeSpan.FromSeconds(20);
    private readonly object _sync = new();
    private readonly Queue<(Action<object?> Work, object? State)> _waiting = new();
    private int _idle;
    private int _starting;

    public static DedicatedThreadPool Shared { get; } = new();

    /// <summary>Runs work on a dedicated thread at once. The work must not throw.</summary>
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

        // Unsafe: a thread outlives the work it was started for and must not keep its execution context.
        if (start)
            new Thread(Loop) { IsBackground = true, Name = "serve blocking" }.UnsafeStart();
    }

    private void Loop()
    {
        var first = true;
        while (RunNext(first))
            first = false;
    }

    // A frame of its own: an idle thread must not keep the last work, and with it user code that is to be unloaded, alive on its stack.
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
