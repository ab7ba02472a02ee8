namespace Serve.Runtime;

/// <summary>
/// The hard limit on what one actor has ongoing, and the way it drains: closed, it takes nothing more and completes <see cref="WhenIdle"/>
/// when the last has left. Lock-free; its count is written by whoever enters and exits.
/// </summary>
/// <param name="limit">At most so many at once.</param>
public sealed class ActorGate(int limit)
{
    private const int ClosedFlag = 1 << 30;
    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int state;
    private int limit = limit;

    /// <summary>At most so many at once; may change while it runs.</summary>
    public int Limit
    {
        get => Volatile.Read(ref limit);
        set => Volatile.Write(ref limit, value);
    }

    /// <summary>How many are inside.</summary>
    public int Ongoing => Volatile.Read(ref state) & ~ClosedFlag;

    /// <summary>Whether it takes nothing more.</summary>
    public bool IsClosed => (Volatile.Read(ref state) & ClosedFlag) != 0;

    /// <summary>Raised once it takes nothing more, on the thread that closed it; handlers do not block or throw. Not for those that come later: see <see cref="IsClosed"/>.</summary>
    public event Action? Closed;

    /// <summary>Completes when the gate is closed and empty.</summary>
    public Task WhenIdle => idle.Task;

    /// <summary>Enters unless full or closed. Every success is paired with one <see cref="Exit"/>.</summary>
    /// <returns>Whether the caller is inside.</returns>
    public bool TryEnter()
    {
        var seen = Volatile.Read(ref state);
        while (true)
        {
            // A closed gate has the high bit set and so compares as full.
            if (seen >= Volatile.Read(ref limit) || (seen & ClosedFlag) != 0)
                return false;
            var found = Interlocked.CompareExchange(ref state, seen + 1, seen);
            if (found == seen)
                return true;
            seen = found;
        }
    }

    /// <summary>Leaves.</summary>
    public void Exit()
    {
        if (Interlocked.Decrement(ref state) == ClosedFlag)
            idle.TrySetResult();
    }

    /// <summary>Takes nothing more from now on. Idempotent.</summary>
    public void Close()
    {
        var before = Interlocked.Or(ref state, ClosedFlag);
        if (before is 0 or ClosedFlag)
            idle.TrySetResult();
        if ((before & ClosedFlag) == 0)
            Closed?.Invoke();
    }
}
