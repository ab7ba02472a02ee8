using Serve.Runtime.Serialization;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Sessions;

/// <summary>An attempt on its way to a worker, or there. Which session has it is written by its listener before it is sent; its waits by the session's reading thread.</summary>
internal sealed class SentRun(ITaskAttempt attempt, IRunListener listener)
{
    private static long lastOrder;

    private CancellationTokenRegistration stop;
    private HeadSession? session;
    private List<EncodedObject>? kept;

    public ITaskAttempt Attempt => attempt;

    public IRunListener Listener => listener;

    public long Id { get; } = attempt.Id.Number;

    public HeadSession? Session => Volatile.Read(ref session);

    /// <summary>Keeps memory where the worker can open it while the run lasts.</summary>
    public void Keep(EncodedObject argument)
    {
        argument.Pin();
        (kept ??= []).Add(argument);
    }

    /// <summary>Counts up from the first run of all.</summary>
    public long Order { get; } = Interlocked.Increment(ref lastOrder);

    /// <summary>Whether its attempt was told that it has started.</summary>
    public bool IsTold { get; set; }

    /// <summary>How many waits of its it is in now.</summary>
    public int Waits { get; set; }

    /// <summary>Set when its worker is killed because of it: what it then fails with.</summary>
    public Exception? KilledWith { get; set; }

    public void SentTo(HeadSession? to)
    {
        if (to is not null && to == session)
            return;
        Volatile.Write(ref session, to);
        stop.Dispose();
        if (to is not null)
            stop = attempt.Stop.UnsafeRegister(static state => ((SentRun)state!).Session?.Cancel((SentRun)state), this);
    }

    /// <summary>What one fails with that was cancelled before it was sent.</summary>
    public static OperationCanceledException CancelledEarly(ITaskAttempt attempt) => new($"{attempt.Name} was cancelled before it started.");

    /// <summary>It is over: nothing is listened to any more.</summary>
    public void End()
    {
        stop.Unregister();
        foreach (var argument in Interlocked.Exchange(ref kept, null) ?? [])
        {
            argument.Unpin();

            // What was written for this call alone is nobody's any more.
            if (!argument.IsOwned)
                argument.Free("its call has ended");
        }
    }
}
