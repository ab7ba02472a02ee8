namespace Serve.Runtime.CoreActors;

/// <summary>What few calls have: options, a token, retries, a parent. Written by whoever runs the call, its token's source once by the first that needs it.</summary>
#pragma warning disable CA1001 // The source has no timer, and its token is looked at for as long as user code refers to it.
internal sealed class ActorCallDetails(ActorCallOptions? options, Tasks.TaskContext? parent)
#pragma warning restore CA1001
{
    private CancellationTokenSource? _stop;

    public ActorCallOptions? Options => options;

    public Tasks.TaskContext? Parent => parent;

    /// <summary>How often it was sent again.</summary>
    public int Retries { get; set; }

    /// <summary>Fires the timeout of the running attempt.</summary>
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
            // What a callback of user code throws is not the canceller's.
        }
    }

    /// <summary>A new attempt has a token of its own.</summary>
    public void Renew() => Volatile.Write(ref _stop, null);
}
