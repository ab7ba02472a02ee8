namespace Serve.Runtime;

/// <summary>
/// Limits the calls and HTTP requests that run on one actor at the same time. A closed limiter refuses new ones and completes <see cref="WhenIdle"/> when the last one has exited.
/// </summary>
/// <remarks>
/// Lock-free. <c>_state</c> holds the number of ongoing calls in the low bits and the closed flag in bit 30. Every change is one interlocked operation on that
/// field, so exactly one of the last <see cref="Exit"/> and <see cref="Close"/> observes "closed and empty".
/// </remarks>
/// <param name="limit">Maximum number of concurrent calls.</param>
public sealed class ConcurrencyLimiter(int limit)
{
    private const int ClosedFlag = 1 << 30;
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;
    private int _limit = limit;

    /// <summary>Maximum number of concurrent calls; may be changed at any time.</summary>
    public int Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Number of ongoing calls.</summary>
    public int Ongoing => Volatile.Read(ref _state) & ~ClosedFlag;

    /// <summary>Whether new calls are refused.</summary>
    public bool IsClosed => (Volatile.Read(ref _state) & ClosedFlag) != 0;

    /// <summary>Raised once, on the closing thread; handlers must not block or throw. Not raised for handlers added later: check <see cref="IsClosed"/>.</summary>
    public event Action? Closed;

    /// <summary>Completes when the limiter is closed and no call is ongoing.</summary>
    public Task WhenIdle => _idle.Task;

    /// <summary>Enters unless the limit is reached or the limiter is closed. Each success must be paired with one <see cref="Exit"/>.</summary>
    /// <returns>True if entered.</returns>
    public bool TryEnter()
    {
        var seen = Volatile.Read(ref _state);
        while (true)
        {
            // With the closed flag set, the value exceeds every limit but int.MaxValue.
            if (seen >= Volatile.Read(ref _limit) || (seen & ClosedFlag) != 0)
                return false;
            var found = Interlocked.CompareExchange(ref _state, seen + 1, seen);
            if (found == seen)
                return true;
            seen = found;
        }
    }

    /// <summary>Reports the end of a call that has entered.</summary>
    public void Exit()
    {
        if (Interlocked.Decrement(ref _state) == ClosedFlag)
            _idle.TrySetResult();
    }

    /// <summary>Refuses new calls from now on. Idempotent.</summary>
    public void Close()
    {
        var before = Interlocked.Or(ref _state, ClosedFlag);
        if (before is 0 or ClosedFlag)
            _idle.TrySetResult();
        if ((before & ClosedFlag) == 0)
            Closed?.Invoke();
    }
}
