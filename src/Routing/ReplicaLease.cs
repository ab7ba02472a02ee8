namespace Serve.Routing;

/// <summary>
/// Permission to send one request to one replica. Returned exactly once, by <see cref="Release"/>, <see cref="Fail"/> or <see cref="Refuse"/>. A struct, so that
/// acquiring one allocates nothing.
/// </summary>
public readonly struct ReplicaLease
{
    private readonly DeploymentRouter _router;

    internal ReplicaLease(DeploymentRouter router, ReplicaSlot slot)
    {
        _router = router;
        Slot = slot;
    }

    /// <summary>The replica.</summary>
    public ReplicaSlot Slot { get; }

    /// <summary>Returns the lease of a completed request.</summary>
    public void Release()
    {
        Slot.Exit();
        Slot.OnRequestCompleted();
        _router.OnLeaseReturned();
    }

    /// <summary>
    /// Returns the lease of a failed request. If the replica died, it is not picked for a moment: until the next snapshot, further requests would fail too.
    /// </summary>
    /// <param name="error">The error.</param>
    public void Fail(Exception error)
    {
        if (error is not ReplicaDiedException)
        {
            Release();
            return;
        }

        Refuse(gone: false);
    }

    /// <summary>
    /// Returns the lease of a request that the replica did not start. Use <see cref="DeploymentRouter.ReacquireAsync"/> for another.
    /// </summary>
    /// <param name="gone">Whether the replica accepts no more requests, rather than being busy with requests of another router.</param>
    public void Refuse(bool gone)
    {
        Slot.BackOff(gone);
        Slot.Exit();
        _router.OnLeaseReturned();
    }
}
