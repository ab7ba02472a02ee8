namespace Serve.Runtime;

/// <summary>
/// The hard limit on what one actor has ongoing, and the way it drains: closed, it takes nothing more and completes <see cref="WhenIdle"/>
/// when the last has left. Lock-free; its count is written by whoever enters and exits.
/// </summary>
/// <param name="limit">At most so many at once.</param>
public sealed class ConcurrencyLimiter(int limit)
{
    private const int ClosedFlag = 1 << 30;
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;
    private int _limit = limit;

    /// <summary>At most so many at once; may change while it runs.</summary>
    public int Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>How many are inside.</summary>
    public int Ongoing => Volatile.Read(ref _state) & ~ClosedFlag;

    /// <summary>Whether it takes nothing more.</summary>
    public bool IsClosed => (Volatile.Read(ref _state) & ClosedFlag) != 0;

    /// <summary>Raised once it takes nothing more, on the thread that closed it; handlers do not block or throw. Not for those that come later: see <see cref="IsClosed"/>.</summary>
    public event Action? Closed;

    /// <summary>Completes when the gate is closed and empty.</summary>
    public Task WhenIdle => _idle.Task;

    /// <summary>Enters unless full or closed. Every success is paired with one <see cref="Exit"/>.</summary>
    /// <returns>Whether the caller is inside.</returns>
    public bool TryEnter()
    {
        var seen = Volatile.Read(ref _state);
        while (true)
        {
            // A closed gate has the high bit set and so compares as full.
            if (seen >= Volatile.Read(ref _limit) || (seen & ClosedFlag) != 0)
                return false;
            var found = Interlocked.CompareExchange(ref _state, seen + 1, seen);
            if (found == seen)
                return true;
            seen = found;
        }
    }

    /// <summary>Leaves.</summary>
    public void Exit()
    {
        if (Interlocked.Decrement(ref _state) == ClosedFlag)
            _idle.TrySetResult();
    }

    /// <summary>Takes nothing more from now on. Idempotent.</summary>
    public void Close()
    {
        var before = Interlocked.Or(ref _state, ClosedFlag);
        if (before is 0 or ClosedFlag)
            _idle.TrySetResult();
        if ((before & ClosedFlag) == 0)
            Closed?.Invoke();
    }
}
