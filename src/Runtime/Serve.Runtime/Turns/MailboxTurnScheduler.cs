using System.Diagnostics.CodeAnalysis;

namespace Serve.Runtime.Turns;

/// <summary>
/// Turns with a mailbox: calls that are posted start in the order in which they came, at most so many at once, none while it is paused. Who
/// holds the claim takes calls out; whoever posts only says that there is work. A queued visit stays queued when someone else has done its
/// work meanwhile, so a caller that runs the actor itself costs no wake-ups.
/// </summary>
internal abstract class MailboxTurnScheduler(Action<IThreadPoolWorkItem>? threads) : ActorTurnScheduler, IThreadPoolWorkItem
{
    private const int Queued = 1;
    private const int Claimed = 2;

    // Newest first; pushed by callers.
    private PaddedMailboxLink _posted;

    // In order; filled by the claim's holder, emptied by it or, for good, by Steal.
    private PaddedMailboxLink _ready;
    private List<IMailboxCall>? _returned;
    private int _state;
    private int _ongoing;
    private int _limit = int.MaxValue;
    private bool _paused;

    /// <summary>The time as it was when someone last looked: when the visit began, or the call before this one ended. Looking costs too much to do it twice for each.</summary>
    public long Clock { get; set; }

    /// <summary>How many calls may have started and not ended.</summary>
    public int Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>How many calls have started and not ended; for turn-based ones those alone that went on after their first turn.</summary>
    public int Ongoing => Volatile.Read(ref _ongoing);

    /// <summary>Whether calls wait although there is someone to run them.</summary>
    protected bool HasCalls =>
        MayTake && (Volatile.Read(ref _ready.Call) is not null || Volatile.Read(ref _posted.Call) is not null || Volatile.Read(ref _returned) is not null);

    protected bool MayTake => !Volatile.Read(ref _paused) && Volatile.Read(ref _ongoing) < Volatile.Read(ref _limit);

    /// <summary>The call whose first turn runs at this moment; null for parallel turns, where it is not one.</summary>
    public virtual IMailboxCall? Current => null;

    /// <summary>Whether its visits are on threads that user code may block.</summary>
    public bool HasOwnThreads => threads is not null;

    protected bool IsFree => Volatile.Read(ref _state) == 0;

    /// <summary>Whether anything waits to be run.</summary>
    protected abstract bool HasWork { get; }

    /// <summary>Puts a call at the end. Never runs it on this thread.</summary>
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

    /// <summary>Puts calls that had been taken out before all others. One caller at a time.</summary>
    public void PutBack(IEnumerable<IMailboxCall> calls)
    {
        var before = Interlocked.Exchange(ref _returned, null);
        Volatile.Write(ref _returned, [.. (before ?? []).Concat(calls).OrderBy(call => call.Order)]);
        Interlocked.MemoryBarrier();
        if (HasCalls)
            Wake();
    }

    /// <summary>Some of what waits, in no order and as it is at this moment: calls come and go meanwhile.</summary>
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

    /// <summary>Takes no call out from now on.</summary>
    public void Pause() => Volatile.Write(ref _paused, true);

    public void Resume()
    {
        Volatile.Write(ref _paused, false);
        Interlocked.MemoryBarrier();
        if (HasCalls)
            Wake();
    }

    /// <summary>Takes all calls out for good, also while a turn is stuck. What its holder takes at the same moment it still runs.</summary>
    public IReadOnlyList<IMailboxCall> RemoveAll()
    {
        var all = Interlocked.Exchange(ref _returned, null) ?? [];
        Unlink(Interlocked.Exchange(ref _ready.Call, null), all);
        Unlink(Reverse(Interlocked.Exchange(ref _posted.Call, null)), all);
        return all;
    }

    /// <summary>A call goes on after its turn.</summary>
    public void BeginOngoing() => Interlocked.Increment(ref _ongoing);

    /// <summary>Such a call has ended.</summary>
    public void EndOngoing()
    {
        Interlocked.Decrement(ref _ongoing);
        if (HasCalls)
            Wake();
    }

    void IThreadPoolWorkItem.Execute()
    {
        // Who holds it looks again when it lets go.
        if ((Interlocked.Exchange(ref _state, Claimed) & Claimed) == 0)
            Visit();
    }

    /// <summary>Runs what waits; holds the claim, and gives it back.</summary>
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

    /// <summary>Sees to a visit. What there is to do was written with an interlocked operation before.</summary>
    protected void Wake()
    {
        if (Volatile.Read(ref _state) != 0 || Interlocked.CompareExchange(ref _state, Queued, 0) != 0)
            return;
        if (threads is null)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else
            threads(this);
    }

    /// <summary>Takes the next call out; for the claim's holder.</summary>
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

            // Interlocked because of Steal.
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
