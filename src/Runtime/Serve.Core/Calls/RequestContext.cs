namespace Serve.Calls;

/// <summary>
/// The request that user code is serving right now, flowing with its awaits: handle calls made from it inherit its id and its
/// cancellation, and what it uses is given back when it ends. Set by the replica room only for classes that can see it (those that take handles or
/// <c>IReplicaContext</c>); whoever sets it says when it ends, by <see cref="End"/>.
/// </summary>
/// <param name="call">What came beside the request.</param>
/// <param name="aborted">Fires when the client has gone or the request has timed out.</param>
public sealed class RequestContext(CallContext call, CancellationToken aborted)
{
    private static readonly AsyncLocal<RequestContext?> Ambient = new();
    private static readonly Action EndedMarker = static () => { };

    private Action? _ended;

    /// <summary>The request being served; null outside one.</summary>
    public static RequestContext? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    /// <summary>What came beside the request.</summary>
    public CallContext Call { get; } = call;

    /// <summary>Fires when the client has gone or the request has timed out.</summary>
    public CancellationToken Aborted { get; } = aborted;

    /// <summary>Has something done when the request ends, on the thread that ends it; it must not block or throw.</summary>
    /// <param name="action">What is done.</param>
    /// <returns>False when the request has ended already: the action is not run.</returns>
    public bool TryAddEndCallback(Action action)
    {
        var seen = Volatile.Read(ref _ended);
        while (!ReferenceEquals(seen, EndedMarker))
        {
            var found = Interlocked.CompareExchange(ref _ended, seen + action, seen);
            if (ReferenceEquals(found, seen))
                return true;
            seen = found;
        }

        return false;
    }

    /// <summary>Says that the request has ended, its response or stream included. Idempotent.</summary>
    public void End() => Interlocked.Exchange(ref _ended, EndedMarker)?.Invoke();
}
