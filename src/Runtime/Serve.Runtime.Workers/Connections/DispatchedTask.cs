using Serve.Runtime.Serialization;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Attempt of a task or call that is sent to a worker. Its connection is written by its listener before it is sent; its waits by the reading thread of the connection.</summary>
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

    /// <summary>Pins a shared argument in memory until the attempt has ended.</summary>
    public void PinArgument(EncodedObject argument)
    {
        argument.Pin();
        (_kept ??= []).Add(argument);
    }

    /// <summary>Sequence number over all attempts of the process.</summary>
    public long Order { get; } = Interlocked.Increment(ref _lastOrder);

    /// <summary>Whether the attempt has been notified of its start.</summary>
    public bool IsStartReported { get; set; }

    /// <summary>Number of waits that its code is in.</summary>
    public int Waits { get; set; }

    /// <summary>Failure of the attempt if its worker is killed because of it.</summary>
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

    /// <summary>Failure of an attempt that was canceled before it was sent.</summary>
    public static OperationCanceledException CanceledBeforeStart(ITaskAttempt attempt) => new($"{attempt.Name} was canceled before it started.");

    /// <summary>Ends the attempt: releases its cancellation registration and its pinned arguments.</summary>
    public void Complete()
    {
        _stop.Unregister();
        foreach (var argument in Interlocked.Exchange(ref _kept, null) ?? [])
        {
            argument.Unpin();

            // An argument that was serialized for this attempt only has no other owner.
            if (!argument.IsOwned)
                argument.Free("its call has ended");
        }
    }
}
