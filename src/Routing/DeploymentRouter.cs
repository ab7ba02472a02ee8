using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// Routes the requests of one deployment, from gateway and handles alike. Lives from the first snapshot that lists the deployment to the
/// first that does not; its state is replaced whole by <see cref="RouteTable.Apply"/>.
/// </summary>
public sealed class DeploymentRouter : IAdmission, IDisposable
{
    private readonly AdmissionQueue queue;
    private readonly Lock models = new();
    private readonly TimeProvider time;
    private readonly RouterMetrics metrics;
    private volatile RouterState state;
    private volatile bool isMultiplexed;
    private long immediate;

    internal DeploymentRouter(DeploymentId id, TimeProvider time)
    {
        Id = id;
        this.time = time;
        state = new RouterState(new PowerOfTwoChoicesPicker([], 0, time), null, [], 0, -1);
        queue = new AdmissionQueue(this, time);
        metrics = new RouterMetrics(this);
    }

    /// <summary>The deployment.</summary>
    public DeploymentId Id { get; }

    /// <summary>The replicas of the snapshot in force.</summary>
    public IReadOnlyList<ReplicaSlot> Replicas => state.Slots;

    /// <summary>Whether a replica has said that it multiplexes models: else it does not matter which a request asks for.</summary>
    public bool IsMultiplexed => isMultiplexed;

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

    /// <summary>Takes a lease for a request that may ask for a multiplexed model, if one can be had at once and nobody waits for one.</summary>
    /// <param name="model">The model; null for none.</param>
    /// <param name="lease">The lease, of a replica that has the model if one has and has room.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryAcquire(string? model, out ReplicaLease lease)
    {
        if (model is null || !isMultiplexed)
            return TryAcquire(out lease);
        if (queue.Waiting == 0 && Pick(model, patient: true).Slot is { } slot)
        {
            Interlocked.Increment(ref immediate);
            lease = new ReplicaLease(this, slot);
            return true;
        }

        lease = default;
        return false;
    }

    /// <inheritdoc cref="AcquireAsync(string?, CancellationToken)"/>
    public ValueTask<ReplicaLease> AcquireAsync(CancellationToken cancellationToken) => AcquireAsync(null, cancellationToken);

    /// <summary>Takes a lease, waiting in line for it: in the line of those who ask for the same model, so that nobody waits for a replica that somebody else waits for.</summary>
    /// <param name="model">The multiplexed model asked for; null for none.</param>
    /// <param name="cancellationToken">Leaves the line.</param>
    /// <returns>The lease.</returns>
    /// <exception cref="OverloadedException">All replicas are full and so is the line.</exception>
    /// <exception cref="NoReplicaException">There is no replica, and none is coming.</exception>
    /// <exception cref="NoSuchRouteException">The deployment has been deleted.</exception>
    public ValueTask<ReplicaLease> AcquireAsync(string? model, CancellationToken cancellationToken) =>
        TryAcquire(model, out var lease) ? new(lease) : QueueAsync(model, readmitted: false, cancellationToken);

    /// <inheritdoc cref="ReacquireAsync(string?, CancellationToken)"/>
    public ValueTask<ReplicaLease> ReacquireAsync(CancellationToken cancellationToken) => ReacquireAsync(null, cancellationToken);

    /// <summary>Takes another lease for a request that a replica refused: from the front of the line, and whatever its length.</summary>
    /// <param name="model">The multiplexed model asked for; null for none.</param>
    /// <param name="cancellationToken">Leaves the line.</param>
    /// <returns>The lease.</returns>
    /// <exception cref="NoReplicaException">There is no replica, and none is coming.</exception>
    /// <exception cref="NoSuchRouteException">The deployment has been deleted.</exception>
    public ValueTask<ReplicaLease> ReacquireAsync(string? model, CancellationToken cancellationToken) => QueueAsync(model, readmitted: true, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        queue.Dispose();
        metrics.Dispose();
    }

    PickResult IAdmission.Pick(string? model, bool patient) => model is null ? state.Picker.Pick() : Pick(model, patient);

    TimeSpan IAdmission.Patience => state.Models?.Patience ?? TimeSpan.Zero;

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

    /// <summary>Takes what replicas say of their models.</summary>
    /// <param name="reports">All reports, by replica; one that was taken before changes nothing.</param>
    internal void Take(IReadOnlyDictionary<string, ModelReport> reports)
    {
        var slots = state.Slots;
        lock (models)
        {
            var now = time.GetTimestamp();
            foreach (var slot in slots)
            {
                if (!reports.TryGetValue(slot.Route.ReplicaId, out var report))
                    continue;
                (slot.Models ??= new ReplicaModels(time)).Take(report, now);
                isMultiplexed = true;
            }
        }

        // Somebody may wait for a model that another has by now.
        if (isMultiplexed && queue.Waiting > 0)
            queue.Pump();
    }

    /// <summary>The policy for requests that ask for a model, over the policy for those that do not.</summary>
    internal ModelPicker ModelsOver(ReplicaPicker plain, ReplicaSlot[] slots, int limit) => new(plain, slots, limit, models, time);

    internal void OnLeaseReturned()
    {
        // The returned lease's Interlocked.Decrement orders this read after it: see AdmissionQueue.TryPass.
        if (queue.Waiting > 0)
            queue.Pump();
    }

    internal void OnRefused(ReplicaSlot slot, bool gone) => slot.Avoid(gone, time);

    private PickResult Pick(string model, bool patient)
    {
        var current = state;
        return current.Models?.Pick(model, patient) ?? current.Picker.Pick();
    }

    private async ValueTask<ReplicaLease> QueueAsync(string? model, bool readmitted, CancellationToken cancellationToken)
    {
        var since = time.GetTimestamp();
        var slot = await queue.EnterAsync(isMultiplexed ? model : null, readmitted, cancellationToken);
        metrics.ObserveWait(time.GetElapsedTime(since));
        return new ReplicaLease(this, slot);
    }
}
