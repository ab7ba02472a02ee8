using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// Routes the requests of one deployment, from gateway and handles alike. Lives from the first snapshot that lists the deployment to the
/// first that does not; its state is replaced whole by <see cref="RouteTable.Apply"/>.
/// </summary>
public sealed class DeploymentRouter : IAdmissionPolicy, IDisposable
{
    private readonly RequestAdmissionQueue _queue;
    private readonly Lock _models = new();
    private readonly TimeProvider _time;
    private readonly DeploymentRouterMetrics _metrics;
    private volatile DeploymentRouterState _state;
    private volatile bool _isMultiplexed;
    private long _immediate;

    internal DeploymentRouter(DeploymentId id, TimeProvider time)
    {
        Id = id;
        this._time = time;
        _state = new DeploymentRouterState(new PowerOfTwoChoicesPicker([], 0, time), null, [], 0, -1);
        _queue = new RequestAdmissionQueue(this, time);
        _metrics = new DeploymentRouterMetrics(this);
    }

    /// <summary>The deployment.</summary>
    public DeploymentId Id { get; }

    /// <summary>The replicas of the snapshot in force.</summary>
    public IReadOnlyList<ReplicaSlot> Replicas => _state.Slots;

    /// <summary>Whether a replica has said that it multiplexes models: else it does not matter which a request asks for.</summary>
    public bool IsMultiplexed => _isMultiplexed;

    /// <summary>How many requests wait for a replica.</summary>
    public int Queued => _queue.Waiting;

    /// <summary>How many requests got a replica without waiting, ever.</summary>
    internal long Immediate => Interlocked.Read(ref _immediate);

    internal DeploymentRouterMetrics Metrics => _metrics;

    int IAdmissionPolicy.MaxQueued => _state.MaxQueued;

    string IAdmissionPolicy.Description =>
        $"All {_state.Slots.Length} replicas of {Id} are busy (max_ongoing_requests {_state.MaxOngoing})";

    /// <summary>Takes a lease if one can be had at once and nobody waits for one.</summary>
    /// <param name="lease">The lease.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryAcquire(out ReplicaLease lease)
    {
        if (_queue.Waiting == 0 && _state.Picker.Pick().Slot is { } slot)
        {
            Interlocked.Increment(ref _immediate);
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
        if (model is null || !_isMultiplexed)
            return TryAcquire(out lease);
        if (_queue.Waiting == 0 && Pick(model, patient: true).Slot is { } slot)
        {
            Interlocked.Increment(ref _immediate);
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
        _queue.Dispose();
        _metrics.Dispose();
    }

    ReplicaPickResult IAdmissionPolicy.Pick(string? model, bool patient) => model is null ? _state.Picker.Pick() : Pick(model, patient);

    TimeSpan IAdmissionPolicy.Patience => _state.Models?.Patience ?? TimeSpan.Zero;

    TimeSpan? IAdmissionPolicy.GetRetryDelay()
    {
        var next = long.MaxValue;
        var current = _state;
        foreach (var slot in current.Slots)
        {
            // One that is full with our own leases needs no alarm: their return wakes the line.
            if (slot.AvoidUntil is > 0 and var until && until < next && slot.Ongoing < current.MaxOngoing)
                next = until;
        }

        if (next == long.MaxValue)
            return null;
        // A millisecond is the finest a timer waits; rounding down would spin.
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), next);
        return wait < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : wait;
    }

    internal void Update(DeploymentRouterState next)
    {
        _state = next;
        _queue.Pump();
    }

    /// <summary>Takes what replicas say of their models.</summary>
    /// <param name="reports">All reports, by replica; one that was taken before changes nothing.</param>
    internal void ApplyModelReports(IReadOnlyDictionary<string, ReplicaModelReport> reports)
    {
        var slots = _state.Slots;
        lock (_models)
        {
            var now = _time.GetTimestamp();
            foreach (var slot in slots)
            {
                if (!reports.TryGetValue(slot.Route.ReplicaId, out var report))
                    continue;
                (slot.Models ??= new ReplicaModelTracker(_time)).ApplyReport(report, now);
                _isMultiplexed = true;
            }
        }

        // Somebody may wait for a model that another has by now.
        if (_isMultiplexed && _queue.Waiting > 0)
            _queue.Pump();
    }

    /// <summary>The policy for requests that ask for a model, over the policy for those that do not.</summary>
    internal MultiplexedModelPicker CreateModelPicker(ReplicaPicker plain, ReplicaSlot[] slots, int limit) => new(plain, slots, limit, _models, _time);

    internal void OnLeaseReturned()
    {
        // The returned lease's Interlocked.Decrement orders this read after it: see RequestAdmissionQueue.TryPass.
        if (_queue.Waiting > 0)
            _queue.Pump();
    }

    internal void OnRefused(ReplicaSlot slot, bool gone) => slot.BackOff(gone, _time);

    private ReplicaPickResult Pick(string model, bool patient)
    {
        var current = _state;
        return current.Models?.Pick(model, patient) ?? current.Picker.Pick();
    }

    private async ValueTask<ReplicaLease> QueueAsync(string? model, bool readmitted, CancellationToken cancellationToken)
    {
        var since = _time.GetTimestamp();
        var slot = await _queue.WaitForReplicaAsync(_isMultiplexed ? model : null, readmitted, cancellationToken);
        _metrics.ObserveWait(_time.GetElapsedTime(since));
        return new ReplicaLease(this, slot);
    }
}
