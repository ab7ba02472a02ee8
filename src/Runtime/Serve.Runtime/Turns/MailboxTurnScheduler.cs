using System.Diagnostics.CodeAnalysis;

namespace Serve.Runtime.Turns;

/// <summary>
/// Turn scheduler with a mailbox: posted calls start in the order of their arrival, up to a limit of concurrent calls, and not while the mailbox is paused.
/// </summary>
/// <remarks>
/// Concurrency. Two flags in <c>_state</c>:
///
///   Queued    a visit (<see cref="IThreadPoolWorkItem.Execute"/>) is queued to the threads
///   Claimed   one thread runs the actor; only the claimant removes calls from <c>_ready</c> and <c>_returned</c> (and <see cref="RemoveAll"/>, interlocked)
///
/// <c>_posted</c> is a lock-free stack (newest first) that any thread pushes to; the claimant takes it whole, reverses it and stores it in <c>_ready</c>.
/// Invariant: if a call may start (<see cref="HasCalls"/>), at least one of the two flags is set, or a thread is about to call <see cref="Wake"/>.
/// Memory order: <see cref="Post"/> pushes with an interlocked operation and then reads the state; <see cref="Release"/> clears Claimed with an
/// interlocked operation and then reads the lists. One of the two therefore observes the other and queues a visit. The same holds for
/// <see cref="Resume"/>, <see cref="PutBack"/> and <see cref="EndOngoing"/>, each of which issues a full barrier between its write and its read.
/// A queued visit stays queued when another thread has already done its work, so that a caller that runs the actor itself causes no wake-ups.
/// </remarks>
public abstract class MailboxTurnScheduler(Action<IThreadPoolWorkItem>? threads) : ActorTurnScheduler, IThreadPoolWorkItem
{
    private const int Queued = 1;
    private const int Claimed = 2;

    // Newest first; pushed by any thread.
    private PaddedMailboxLink _posted;

    // In order; filled and emptied by the claimant, or emptied by RemoveAll.
    private PaddedMailboxLink _ready;
    private List<IMailboxCall>? _returned;
    private int _state;
    private int _ongoing;
    private int _limit = int.MaxValue;
    private bool _paused;

    /// <summary>Timestamp of the start of the visit or of the end of the previous call; reading the clock twice for each call would be too expensive.</summary>
    public long Clock { get; set; }

    /// <summary>Maximum number of calls that have started and not ended.</summary>
    public int Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Number of calls that have started and not ended; with turn-based concurrency only those that continue after their first turn.</summary>
    public int Ongoing => Volatile.Read(ref _ongoing);

    /// <summary>Whether a waiting call may start now.</summary>
    protected bool HasCalls =>
        MayTake && (Volatile.Read(ref _ready.Call) is not null || Volatile.Read(ref _posted.Call) is not null || Volatile.Read(ref _returned) is not null);

    protected bool MayTake => !Volatile.Read(ref _paused) && Volatile.Read(ref _ongoing) < Volatile.Read(ref _limit);

    /// <summary>The call whose first turn is running; always null with parallel concurrency.</summary>
    public virtual IMailboxCall? Current => null;

    /// <summary>Whether visits run on threads that user code may block.</summary>
    public bool HasOwnThreads => threads is not null;

    protected bool IsFree => Volatile.Read(ref _state) == 0;

    /// <summary>Whether a call or a continuation is waiting to run.</summary>
    protected abstract bool HasWork { get; }

    /// <summary>Appends a call. Never runs it on the calling thread.</summary>
    public void Post(IMailboxCall call)
    {
        var head = Volatile.Read(ref _posted.Call);
        while (true)
        {
            call.Next = head;
            var seen = Interlocked.CompareExchange(ref _posted.Call, call, head);
            if (ReferenceEquals(seen, head))
                break;
            head = seen;
        }

        if (MayTake)
            Wake();
    }

    /// <summary>Prepends calls that had been removed. Not thread-safe with itself.</summary>
    public void PutBack(IEnumerable<IMailboxCall> calls)
    {
        var before = Interlocked.Exchange(ref _returned, null);
        Volatile.Write(ref _returned, [.. (before ?? []).Concat(calls).OrderBy(call => call.Order)]);
        Interlocked.MemoryBarrier();
        if (HasCalls)
            Wake();
    }

    /// <summary>Returns up to <paramref name="most"/> waiting calls in no particular order; a best-effort snapshot while calls arrive and start.</summary>
    public IReadOnlyList<IMailboxCall> Peek(int most)
    {
        var seen = new List<IMailboxCall>();
        foreach (var start in new[] { Volatile.Read(ref _ready.Call), Volatile.Read(ref _posted.Call) })
        {
            for (var call = start; call is not null && seen.Count < most; call = call.Next)
                seen.Add(call);
        }

        return seen;
    }

    /// <summary>Stops starting calls.</summary>
    public void Pause() => Volatile.Write(ref _paused, true);

    public void Resume()
    {
        Volatile.Write(ref _paused, false);
        Interlocked.MemoryBarrier();
        if (HasCalls)
            Wake();
    }

    /// <summary>Removes all waiting calls, even while a turn is stuck. A call that the claimant removes concurrently still runs.</summary>
    public IReadOnlyList<IMailboxCall> RemoveAll()
    {
        var all = Interlocked.Exchange(ref _returned, null) ?? [];
        Unlink(Interlocked.Exchange(ref _ready.Call, null), all);
        Unlink(Reverse(Interlocked.Exchange(ref _posted.Call, null)), all);
        return all;
    }

    /// <summary>Counts a call that continues after its first turn.</summary>
    public void BeginOngoing() => Interlocked.Increment(ref _ongoing);

    /// <summary>Reports the end of a call counted by <see cref="BeginOngoing"/>.</summary>
    public void EndOngoing()
    {
        Interlocked.Decrement(ref _ongoing);
        if (HasCalls)
            Wake();
    }

    void IThreadPoolWorkItem.Execute()
    {
        // The claimant checks for work again when it releases the claim.
        if ((Interlocked.Exchange(ref _state, Claimed) & Claimed) == 0)
            Visit();
    }

    /// <summary>Runs waiting work. Called with the claim, which it releases.</summary>
    protected abstract void Visit();

    protected bool TryClaim()
    {
        var seen = Volatile.Read(ref _state);
        while ((seen & Claimed) == 0)
        {
            var found = Interlocked.CompareExchange(ref _state, seen | Claimed, seen);
            if (found == seen)
                return true;
            seen = found;
        }

        return false;
    }

    protected bool TryClaimFree() => Interlocked.CompareExchange(ref _state, Claimed, 0) == 0;

    protected void Release()
    {
        var before = Interlocked.And(ref _state, ~Claimed);
        if ((before & Queued) == 0 && HasWork)
            Wake();
    }

    /// <summary>Queues a visit unless one is queued or running. The caller has published the work with an interlocked operation before.</summary>
    protected void Wake()
    {
        if (Volatile.Read(ref _state) != 0 || Interlocked.CompareExchange(ref _state, Queued, 0) != 0)
            return;
        if (threads is null)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else
            threads(this);
    }

    /// <summary>Removes the next call; for the claimant only.</summary>
    protected bool TryTake([NotNullWhen(true)] out IMailboxCall? call)
    {
        if (Volatile.Read(ref _returned) is not null)
            TakeReturned();
        while (true)
        {
            call = Volatile.Read(ref _ready.Call);
            if (call is null)
            {
                if (Reverse(Interlocked.Exchange(ref _posted.Call, null)) is not { } list)
                    return false;
                Volatile.Write(ref _ready.Call, list);
                continue;
            }

            // Interlocked because RemoveAll may run concurrently.
            if (ReferenceEquals(Interlocked.CompareExchange(ref _ready.Call, call.Next, call), call))
            {
                call.Next = null;
                return true;
            }
        }
    }

    private static IMailboxCall? Reverse(IMailboxCall? list)
    {
        IMailboxCall? reversed = null;
        while (list is not null)
            (list.Next, reversed, list) = (reversed, list, list.Next);
        return reversed;
    }

    private static void Unlink(IMailboxCall? list, List<IMailboxCall> into)
    {
        while (list is { } call)
        {
            list = call.Next;
            call.Next = null;
            into.Add(call);
        }
    }

    private void TakeReturned()
    {
        var first = Interlocked.Exchange(ref _ready.Call, null);
        var calls = Interlocked.Exchange(ref _returned, null) ?? [];
        for (var i = calls.Count - 1; i >= 0; i--)
        {
            calls[i].Next = first;
            first = calls[i];
        }

        Volatile.Write(ref _ready.Call, first);
    }
}
