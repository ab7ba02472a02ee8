namespace Serve.Runtime.Actors;

/// <summary>The parts of a call that few calls need: options, cancellation token, retries, parent. Written by the thread that runs the call; the token source is created once, on first use.</summary>
#pragma warning disable CA1001 // The source has no timer, and its token is read as long as user code references it.
internal sealed class ActorCallDetails(ActorCallOptions? options, Tasks.TaskContext? parent)
#pragma warning restore CA1001
{
    private CancellationTokenSource? _stop;

    public ActorCallOptions? Options => options;

    public Tasks.TaskContext? Parent => parent;

    /// <summary>Number of retries.</summary>
    public int Retries { get; set; }

    /// <summary>Timer of the timeout of the running attempt.</summary>
    public ITimer? Timer { get; set; }

    public CancellationToken Stop
    {
        get
        {
            if (Volatile.Read(ref _stop) is null)
                Interlocked.CompareExchange(ref _stop, new(), null);
            return _stop!.Token;
        }
    }

    public void Cancel()
    {
        if (Volatile.Read(ref _stop) is not { } source)
            return;
        try
        {
            source.Cancel();
        }
        catch (AggregateException)
        {
            // Exceptions of user callbacks must not reach the canceling code.
        }
    }

    /// <summary>Prepares a new attempt, which has its own token.</summary>
    public void BeginNextAttempt() => Volatile.Write(ref _stop, null);
}
