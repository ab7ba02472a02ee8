using Serve.Workflows.Storage;

namespace Serve.Workflows.Execution;

/// <summary>
/// Fires durable timers. Only those that are due within two minutes are in memory; the others are read from the store each minute. A timer may fire twice; the store drops the second one.
/// </summary>
internal sealed class TimerQueue : IDisposable
{
    private const int MaxLoaded = 100_000;

    private static readonly TimeSpan ReloadInterval = TimeSpan.FromMinutes(1);

    private readonly WorkflowStore _store;
    private readonly DurableClock _clock;
    private readonly Action<WorkflowTimer> _fire;
    private readonly Action<Exception> _failed;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly PriorityQueue<WorkflowTimer, DateTimeOffset> _due = new();
    private DateTimeOffset _horizon;
    private DateTimeOffset _nextReload;
    private bool _isDisposed;

    public TimerQueue(WorkflowStore store, DurableClock clock, TimeProvider time, Action<WorkflowTimer> fire, Action<Exception> failed)
    {
        (_store, _clock, _fire, _failed) = (store, clock, fire, failed);
        _timer = time.CreateTimer(_ => Run(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Start() => Run();

    /// <summary>Adds a timer that is in the store.</summary>
    public void Add(WorkflowTimer timer)
    {
        lock (_lock)
        {
            if (timer.Due > _horizon || _isDisposed)
                return;
            _due.Enqueue(timer, timer.Due);
            if (ReferenceEquals(_due.Peek(), timer))
                Arm();
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _isDisposed = true;
        _timer.Dispose();
    }

    private void Run()
    {
        try
        {
            List<WorkflowTimer> fired = [];
            lock (_lock)
            {
                if (_isDisposed)
                    return;
                var now = _clock.Now;
                if (now >= _nextReload)
                    Reload(now);
                while (_due.TryPeek(out var first, out var due) && due <= now)
                {
                    _due.Dequeue();
                    fired.Add(first);
                }

                Arm();
            }

            foreach (var timer in fired)
                _fire(timer);
        }
        catch (Exception failure) when (failure is WorkflowException or ObjectDisposedException)
        {
            _failed(failure);
            lock (_lock)
            {
                _nextReload = _clock.Now + TimeSpan.FromSeconds(1);
                Arm();
            }
        }
    }

    private void Reload(DateTimeOffset now)
    {
        _horizon = now + (2 * ReloadInterval);
        var loaded = _store.ReadTimersDue(_horizon, MaxLoaded);
        if (loaded.Count == MaxLoaded)
            _horizon = loaded[^1].Due;
        _due.Clear();
        foreach (var timer in loaded)
            _due.Enqueue(timer, timer.Due);
        _nextReload = now + ReloadInterval < _horizon ? now + ReloadInterval : _horizon;
    }

    private void Arm()
    {
        if (_isDisposed)
            return;
        var next = _due.TryPeek(out _, out var due) && due < _nextReload ? due : _nextReload;
        var wait = next - _clock.Now;

        // A timer of the system may fire a fraction of a millisecond early.
        _timer.Change(wait > TimeSpan.Zero ? TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
