namespace Serve.Calls;

/// <summary>
/// The request that user code is serving right now, flowing with its awaits: handle calls made from it inherit its id and its
/// cancellation. Set by the replica room only for classes that can see it (those that take handles or <see cref="IReplicaContext"/>).
/// </summary>
/// <param name="Call">What came beside the request.</param>
/// <param name="Aborted">Fires when the client has gone or the request has timed out.</param>
public sealed record RequestContext(CallContext Call, CancellationToken Aborted)
{
    private static readonly AsyncLocal<RequestContext?> Ambient = new();

    /// <summary>The request being served; null outside one.</summary>
    public static RequestContext? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }
}
