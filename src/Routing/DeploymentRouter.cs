namespace Serve.Routing;

/// <summary>
/// Routes the requests of one deployment, from gateway and handles alike. Lives from the first snapshot that lists the deployment to the
/// first that does not; its state is replaced whole by <see cref="RouteTable.Apply"/>.
/// </summary>
public sealed class DeploymentRouter : IAdmission, IDisposable
{
    private readonly AdmissionQueue queue;
    private readonly TimeProvider time;
    private readonly RouterMetrics metrics;
    private volatile RouterState state;
    private long immediate;

    internal DeploymentRouter(DeploymentId id, TimeProvider time)
    {
        Id = id;
        this.time = time;
        state = new RouterState(new PowerOfTwoChoicesPicker([], 0, time), [], 0, -1);
        queue = new AdmissionQueue(this, time);
        metrics = new RouterMetrics(this);
    }

    /// <summary>The deployment.</summary>
    public DeploymentId Id { get; }

    /// <summary>The replicas of the snapshot in force.</summary>
    public IReadOnlyList<ReplicaSlot> Replicas => state.Slots;

    /// <summary>How many requests wait for a replica.</summary>
    public int Queued => queue.Waiting;

    /// <summary>How many requests got a replica without waiting, ever.</summary>
    internal long Immediate => Interlocked.Read(ref immediate);

    internal RouterMetrics Metrics => metrics;

    int IAdmission.MaxQueued => state.MaxQueued;

    string IAdmission.Description =>
        $"All {state.Slots.Length} replicas of {Id} are busy (max_ongoing_requests {state.MaxOngoing})";

    /// <summary>Takes a lease if one can be had at once and nobody waits for one.</summary>
    /// <param name="lease">The lease.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryAcquire(out ReplicaLease lease)
    {
        if (queue.Waiting == 0 && state.Picker.Pick().Slot is { } slot)
        {
            Interlocked.Increment(ref immediate);
            lease = new ReplicaLease(this, slot);
            return true;
        }

        lease = default;
        return false;
    }

    /// <summary>Takes a lease, waiting in line for it.</summary>
    /// <param name="cancellationToken">Leaves the line.</param>
    /// <returns>The lease.</returns>
    /// <exception cref="OverloadedException">All replicas are full and so is the line.</exception>
    /// <exception cref="NoReplicaException">There is no replica, and none is coming.</exception>
    /// <exception cref="NoSuchRouteException">The deployment has been deleted.</exception>
    public ValueTask<ReplicaLease> AcquireAsync(CancellationToken cancellationToken) =>
        TryAcquire(out var lease) ? new(lease) : QueueAsync(readmitted: false, cancellationToken);

    /// <summary>Takes another lease for a request that a replica refused: from the front of the line, and whatever its length.</summary>
    /// <param name="cancellationToken">Leaves the line.</param>
    /// <returns>The lease.</returns>
    /// <exception cref="NoReplicaException">There is no replica, and none is coming.</exception>
    /// <exception cref="NoSuchRouteException">The deployment has been deleted.</exception>
    public ValueTask<ReplicaLease> ReacquireAsync(CancellationToken cancellationToken) => QueueAsync(readmitted: true, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        queue.Dispose();
        metrics.Dispose();
    }

    PickResult IAdmission.Pick() => state.Picker.Pick();

    TimeSpan? IAdmission.NextChance()
    {
        var next = long.MaxValue;
        var current = state;
        foreach (var slot in current.Slots)
        {
            // One that is full with our own leases needs no alarm: their return wakes the line.
            if (slot.AvoidUntil is > 0 and var until && until < next && slot.Ongoing < current.MaxOngoing)
                next = until;
        }

        if (next == long.MaxValue)
            return null;
        // A millisecond is the finest a timer waits; rounding down would spin.
        var wait = time.GetElapsedTime(time.GetTimestamp(), next);
        return wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait;
    }

    internal void Update(RouterState next)
    {
        state = next;
        queue.Pump();
    }

    internal void OnLeaseReturned()
    {
        // The returned lease's Interlocked.Decrement orders this read after it: see AdmissionQueue.TryPass.
        if (queue.Waiting > 0)
            queue.Pump();
    }

    internal void OnRefused(ReplicaSlot slot, bool gone) => slot.Avoid(gone, time);

    private async ValueTask<ReplicaLease> QueueAsync(bool readmitted, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        var slot = await queue.EnterAsync(readmitted, cancellationToken);
        metrics.ObserveWait(time.GetElapsedTime(since));
        return new ReplicaLease(this, slot);
    }
}
