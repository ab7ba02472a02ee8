using Serve.Runtime.Serialization;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>An attempt on its way to a worker, or there. Which session has it is written by its listener before it is sent; its waits by the session's reading thread.</summary>
internal sealed class DispatchedTask(ITaskAttempt attempt, IDispatchedTaskListener listener)
{
    private static long _lastOrder;

    private CancellationTokenRegistration _stop;
    private WorkerConnection? _session;
    private List<EncodedObject>? _kept;

    public ITaskAttempt Attempt => attempt;

    public IDispatchedTaskListener Listener => listener;

    public long Id { get; } = attempt.Id.Number;

    public WorkerConnection? Session => Volatile.Read(ref _session);

    /// <summary>Keeps memory where the worker can open it while the run lasts.</summary>
    public void PinArgument(EncodedObject argument)
    {
        argument.Pin();
        (_kept ??= []).Add(argument);
    }

    /// <summary>Counts up from the first run of all.</summary>
    public long Order { get; } = Interlocked.Increment(ref _lastOrder);

    /// <summary>Whether its attempt was told that it has started.</summary>
    public bool IsStartReported { get; set; }

    /// <summary>How many waits of its it is in now.</summary>
    public int Waits { get; set; }

    /// <summary>Set when its worker is killed because of it: what it then fails with.</summary>
    public Exception? KilledWith { get; set; }

    public void AssignTo(WorkerConnection? to)
    {
        if (to is not null && to == _session)
            return;
        Volatile.Write(ref _session, to);
        _stop.Dispose();
        if (to is not null)
            _stop = attempt.StopToken.UnsafeRegister(static state => ((DispatchedTask)state!).Session?.Cancel((DispatchedTask)state), this);
    }

    /// <summary>What one fails with that was cancelled before it was sent.</summary>
    public static OperationCanceledException CanceledBeforeStart(ITaskAttempt attempt) => new($"{attempt.Name} was cancelled before it started.");

    /// <summary>It is over: nothing is listened to any more.</summary>
    public void Complete()
    {
        _stop.Unregister();
        foreach (var argument in Interlocked.Exchange(ref _kept, null) ?? [])
        {
            argument.Unpin();

            // What was written for this call alone is nobody's any more.
            if (!argument.IsOwned)
                argument.Free("its call has ended");
        }
    }
}
