namespace Serve.Routing;

/// <summary>The right to give one replica one request. Returned exactly once, by <see cref="Release"/> or <see cref="Refuse"/>; a struct, so that taking one allocates nothing.</summary>
public readonly struct ReplicaLease
{
    private readonly DeploymentRouter _router;

    internal ReplicaLease(DeploymentRouter router, ReplicaSlot slot)
    {
        this._router = router;
        Slot = slot;
    }

    /// <summary>The replica.</summary>
    public ReplicaSlot Slot { get; }

    /// <summary>Returns the lease: the request has ended.</summary>
    public void Release()
    {
        Slot.Exit();
        Slot.OnRequestCompleted();
        _router.OnLeaseReturned();
    }

    /// <summary>
    /// Returns the lease of a request that has failed. When the replica died on it, the replica is passed over for a moment: until the
    /// snapshot without it is here, the next requests would only fail on it too.
    /// </summary>
    /// <param name="error">How it failed.</param>
    public void Fail(Exception error)
    {
        if (error is not ReplicaDiedException)
        {
            Release();
            return;
        }

        Refuse(gone: false);
    }

    /// <summary>Returns the lease of a request that the replica did not start. Ask for another with <see cref="DeploymentRouter.ReacquireAsync(string?, CancellationToken)"/>.</summary>
    /// <param name="gone">Whether the replica will take nothing more, rather than being full with another router's requests.</param>
    public void Refuse(bool gone)
    {
        _router.OnRefused(Slot, gone);
        Slot.Exit();
        _router.OnLeaseReturned();
    }
}
