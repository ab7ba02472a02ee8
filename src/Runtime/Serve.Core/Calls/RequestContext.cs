namespace Serve.Calls;

/// <summary>Metadata of a call. Immutable; <see cref="None"/> for a call without any.</summary>
public sealed record CallContext
{
    /// <summary>Gets the context of a call without metadata.</summary>
    public static CallContext None { get; } = new();

    /// <summary>The id of the request that the call belongs to, for logs; null if there is none.</summary>
    public string? RequestId { get; init; }

    /// <summary>The multiplexed model that the call requests; null for none.</summary>
    public string? MultiplexedModelId { get; init; }

    /// <summary>The key by which a routing policy selects the replica; null for none.</summary>
    public string? RoutingKey { get; init; }

    /// <summary>The deadline and priority.</summary>
    public CallUrgency Urgency { get; init; }

    /// <summary>Gets whether a queue of the callee treats the call differently from others: it requests a model, or is urgent.</summary>
    public bool AffectsQueues => MultiplexedModelId is not null || !Urgency.IsDefault;
}

/// <summary>
/// The request that user code is serving, which flows with its awaits: handle calls inherit its id and its cancellation, and borrowed models are
/// returned when it ends. The replica sets it only for classes that can use it (those that take handles or <c>IReplicaContext</c>), and ends it with <see cref="End"/>.
/// </summary>
/// <param name="call">The request's metadata.</param>
/// <param name="aborted">Canceled when the client has disconnected or the request has timed out.</param>
public sealed class RequestContext(CallContext call, CancellationToken aborted)
{
    private static readonly AsyncLocal<RequestContext?> Ambient = new();
    private static readonly Action EndedMarker = static () => { };

    private Action? _ended;

    /// <summary>Gets or sets the request being served; null outside a request.</summary>
    public static RequestContext? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    /// <summary>Gets the request's metadata.</summary>
    public CallContext Call { get; } = call;

    /// <summary>Gets a token that is canceled when the client has disconnected or the request has timed out.</summary>
    public CancellationToken Aborted { get; } = aborted;

    /// <summary>Registers a callback that runs when the request ends, on the thread that ends it. It must not block or throw.</summary>
    /// <param name="action">The callback.</param>
    /// <returns>False if the request has already ended; the callback does not run then.</returns>
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

    /// <summary>Ends the request, its response or stream included. Idempotent.</summary>
    public void End() => Interlocked.Exchange(ref _ended, EndedMarker)?.Invoke();
}
