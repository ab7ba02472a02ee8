using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// Routes the requests of one deployment, those of the gateway and of handles alike. Exists from the first snapshot that contains the deployment to the first
/// that does not; <see cref="RouteTable.Apply"/> replaces its state as a whole.
/// </summary>
public sealed class DeploymentRouter : IAdmissionPolicy, IDisposable
{
    private readonly RequestAdmissionQueue _queue;
    private readonly Lock _models = new();
    private readonly TimeProvider _time;
    private readonly DeploymentRouterMetrics _metrics;
    private readonly Action<DeploymentId>? _requestWakeUp;
    private volatile DeploymentRouterState _state;
    private volatile bool _isMultiplexed;
    private DeploymentRouterState? _wakeUpRequestedFor;
    private long _immediate;
    private long _waited;

    internal DeploymentRouter(DeploymentId id, TimeProvider time, Action<DeploymentId>? requestWakeUp = null)
    {
        Id = id;
        _time = time;
        _requestWakeUp = requestWakeUp;
        _state = new DeploymentRouterState(new PowerOfTwoChoicesPicker([], 0, time), null, [], 0, -1);
        _queue = new RequestAdmissionQueue(this, time);
        _metrics = new DeploymentRouterMetrics(this);
    }

    /// <summary>The deployment.</summary>
    public DeploymentId Id { get; }

    /// <summary>The replicas of the current snapshot.</summary>
    public IReadOnlyList<ReplicaSlot> Replicas => _state.Slots;

    /// <summary>Whether a replica has reported multiplexed models; otherwise the requested model is ignored.</summary>
    public bool IsMultiplexed => _isMultiplexed;

    /// <summary>Number of requests that wait for a replica.</summary>
    public int Queued => _queue.Waiting;

    /// <summary>Number of requests that got a replica without waiting, in total.</summary>
    internal long Immediate => Interlocked.Read(ref _immediate);

    /// <summary>Number of requests that got a replica, in total.</summary>
    public long Admitted => Immediate + Interlocked.Read(ref _waited);

    /// <summary>Whether the controller needs the deployment's load.</summary>
    public bool ReportsLoad => _state.ReportsLoad;

    internal DeploymentRouterMetrics Metrics => _metrics;

    int IAdmissionPolicy.MaxQueued => _state.MaxQueued;

    TimeSpan IAdmissionPolicy.Patience => _state.Models?.Patience ?? TimeSpan.Zero;

    string IAdmissionPolicy.Description =>
        $"All {_state.Slots.Length} replicas of {Id} are busy (max_ongoing_requests {_state.MaxOngoing})";

    /// <summary>Acquires a lease if a replica is available and no request waits.</summary>
    /// <param name="lease">The lease.</param>
    /// <returns>Whether a lease was acquired.</returns>
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

    /// <summary>Acquires a lease for a request that may ask for a multiplexed model, if a replica is available and no request waits.</summary>
    /// <param name="model">The model; null for none.</param>
    /// <param name="lease">The lease, on a replica that has the model if such a replica is available.</param>
    /// <returns>Whether a lease was acquired.</returns>
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

    /// <summary>Acquires a lease; waits in order of arrival if no replica is available. Requests for different models do not wait for each other.</summary>
    /// <param name="model">The requested multiplexed model; null for none.</param>
    /// <param name="cancellationToken">Removes the request from the queue.</param>
    /// <exception cref="OverloadedException">All replicas are busy and the queue is full.</exception>
    /// <exception cref="NoReplicaException">There is no replica, and none is being started.</exception>
    /// <exception cref="NoSuchRouteException">The deployment has been deleted.</exception>
    public ValueTask<ReplicaLease> AcquireAsync(string? model, CancellationToken cancellationToken) =>
        TryAcquire(model, out var lease) ? new(lease) : QueueAsync(model, readmitted: false, cancellationToken);

    /// <inheritdoc cref="ReacquireAsync(string?, CancellationToken)"/>
    public ValueTask<ReplicaLease> ReacquireAsync(CancellationToken cancellationToken) => ReacquireAsync(null, cancellationToken);

    /// <summary>Acquires another lease for a request that a replica refused. It goes to the front of the queue, whatever the queue's length.</summary>
    /// <param name="model">The requested multiplexed model; null for none.</param>
    /// <param name="cancellationToken">Removes the request from the queue.</param>
    /// <exception cref="NoReplicaException">There is no replica, and none is being started.</exception>
    /// <exception cref="NoSuchRouteException">The deployment has been deleted.</exception>
    public ValueTask<ReplicaLease> ReacquireAsync(string? model, CancellationToken cancellationToken) => QueueAsync(model, readmitted: true, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.Dispose();
        _metrics.Dispose();
    }

    ReplicaPickResult IAdmissionPolicy.Pick(string? model, bool patient) => model is null ? _state.Picker.Pick() : Pick(model, patient);

    TimeSpan? IAdmissionPolicy.GetRetryDelay()
    {
        var next = long.MaxValue;
        var current = _state;
        foreach (var slot in current.Slots)
        {
            // A replica that is busy with this router's own leases needs no timer: a returned lease pumps the queue.
            if (slot.AvoidUntil is > 0 and var until && until < next && slot.Ongoing < current.MaxOngoing)
                next = until;
        }

        if (next == long.MaxValue)
            return null;
        // Timers have a resolution of a millisecond; rounding down would make the queue spin.
        var delay = _time.GetElapsedTime(_time.GetTimestamp(), next);
        return delay < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : delay;
    }

    internal void Update(DeploymentRouterState next)
    {
        _state = next;
        _queue.Pump();
    }

    /// <summary>Applies the models that replicas have reported.</summary>
    /// <param name="reports">All reports, by replica; a report that was applied before has no effect.</param>
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

        // A queued request may wait for a model that another replica has loaded.
        if (_isMultiplexed && _queue.Waiting > 0)
            _queue.Pump();
    }

    /// <summary>Creates the policy for requests with a model, on top of the policy for requests without one.</summary>
    internal MultiplexedModelPicker CreateModelPicker(ReplicaPicker withoutModel, ReplicaSlot[] slots, int limit) => new(withoutModel, slots, limit, _models, _time);

    internal void OnLeaseReturned()
    {
        // Ordered after the interlocked decrement of the returned lease: see RequestAdmissionQueue.
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
        RequestWakeUp();
        var slot = await _queue.WaitForReplicaAsync(_isMultiplexed ? model : null, readmitted, cancellationToken);
        Interlocked.Increment(ref _waited);
        _metrics.ObserveWait(_time.GetElapsedTime(since));
        return new ReplicaLease(this, slot);
    }

    // Once per state: the first of the queued requests wakes the deployment.
    private void RequestWakeUp()
    {
        if (_state is { WakesOnRequest: true, Slots.Length: 0 } current && !ReferenceEquals(Interlocked.Exchange(ref _wakeUpRequestedFor, current), current))
            _requestWakeUp?.Invoke(Id);
    }
}

/// <summary>Immutable routing state of one deployment, derived from one snapshot.</summary>
/// <param name="Picker">The policy for requests without a model.</param>
/// <param name="Models">The policy for requests with a multiplexed model; null if there is no choice.</param>
/// <param name="Slots">The replicas.</param>
/// <param name="MaxOngoing">Maximum number of leases per replica.</param>
/// <param name="MaxQueued">Maximum number of queued requests; -1 for no limit.</param>
/// <param name="WakesOnRequest">Whether a request that finds no replica is reported, so that one is started.</param>
/// <param name="ReportsLoad">Whether the controller needs the deployment's load.</param>
internal sealed record DeploymentRouterState(
    ReplicaPicker Picker, MultiplexedModelPicker? Models, ReplicaSlot[] Slots, int MaxOngoing, int MaxQueued, bool WakesOnRequest = false, bool ReportsLoad = false);
