using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Routes;
using Serve.Routing.Pickers;
using Serve.Specs;

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
        _state = DeploymentRouterState.Empty;
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

    int IAdmissionPolicy.Ongoing => _state.Slots.Sum(static slot => slot.Ongoing);

    TimeSpan IAdmissionPolicy.Patience => _state.Models?.Patience ?? TimeSpan.Zero;

    string IAdmissionPolicy.Description =>
        $"All {_state.Slots.Length} replicas of {Id} are busy (max_ongoing_requests {_state.MaxOngoing})";

    /// <summary>Expression for the key of an HTTP request; null if the policy needs none.</summary>
    public RoutingKeyExpression? KeyExpression => _state.Key;

    /// <summary>Acquires a lease if a replica is available and no request waits.</summary>
    /// <param name="request">The request.</param>
    /// <param name="lease">The lease; on a replica that has the request's model if such a replica is available.</param>
    /// <returns>Whether a lease was acquired.</returns>
    public bool TryAcquire(in RoutingRequest request, out ReplicaLease lease)
    {
        if (_queue.Waiting == 0 && Pick(request, patient: true).Slot is { } slot)
        {
            Interlocked.Increment(ref _immediate);
            lease = new ReplicaLease(this, slot);
            return true;
        }

        lease = default;
        return false;
    }

    /// <summary>Acquires a lease; waits by priority and in order of arrival if no replica is available. Requests for different models do not wait for each other.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Removes the request from the queue.</param>
    /// <exception cref="OverloadedException">All replicas are busy and the queue is full.</exception>
    /// <exception cref="DeadlineUnmeetableException">The request cannot be completed before its deadline.</exception>
    /// <exception cref="NoReplicaException">There is no replica, and none is being started.</exception>
    /// <exception cref="NoSuchRouteException">The deployment has been deleted.</exception>
    public ValueTask<ReplicaLease> AcquireAsync(in RoutingRequest request, CancellationToken cancellationToken) =>
        TryAcquire(request, out var lease) ? new(lease) : QueueAsync(request, readmitted: false, cancellationToken);

    /// <summary>Acquires another lease for a request that a replica refused. It goes to the front of the queue, whatever the queue's length.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Removes the request from the queue.</param>
    /// <exception cref="NoReplicaException">There is no replica, and none is being started.</exception>
    /// <exception cref="NoSuchRouteException">The deployment has been deleted.</exception>
    public ValueTask<ReplicaLease> ReacquireAsync(in RoutingRequest request, CancellationToken cancellationToken) => QueueAsync(request, readmitted: true, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.Dispose();
        _metrics.Dispose();
        _state.PickerClass?.Dispose();
    }

    ReplicaPickResult IAdmissionPolicy.Pick(in RoutingRequest request, bool patient) => Pick(request, patient);

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

    internal DeploymentRouterState State => _state;

    internal void Update(DeploymentRouterState next)
    {
        var previous = _state;
        _state = next;
        if (!ReferenceEquals(previous.PickerClass, next.PickerClass))
            previous.PickerClass?.Dispose();
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

    /// <summary>Applies the routing statistics that replicas have reported.</summary>
    /// <param name="reports">All reports, by replica.</param>
    internal void ApplyStats(IReadOnlyDictionary<string, JsonElement> reports)
    {
        foreach (var slot in _state.Slots)
        {
            if (reports.TryGetValue(slot.ReplicaId, out var stats))
                slot.ApplyStats(stats);
        }

        // A policy may have queued requests because of the previous statistics.
        if (_queue.Waiting > 0)
            _queue.Pump();
    }

    /// <summary>Creates the policy for requests with a model, on top of the policy for requests without one.</summary>
    internal MultiplexedModelPicker CreateModelPicker(PolicyReplicaSelector withoutModel, ReplicaSlot[] slots) => new(withoutModel, slots, _models, _time);

    internal void OnLeaseReturned()
    {
        // Ordered after the interlocked decrement of the returned lease: see RequestAdmissionQueue.
        if (_queue.Waiting > 0)
            _queue.Pump();
    }

    private ReplicaPickResult Pick(in RoutingRequest request, bool patient)
    {
        var current = _state;
        var pick = _isMultiplexed && request.MultiplexedModelId is not null && current.Models is { } models
            ? models.Pick(request, patient)
            : current.Selector.Select(request);
        return pick.Slot is null && current.Failure is { } failure ? ReplicaPickResult.Fail(failure) : pick;
    }

    private async ValueTask<ReplicaLease> QueueAsync(RoutingRequest request, bool readmitted, CancellationToken cancellationToken)
    {
        var since = _time.GetTimestamp();
        RequestWakeUp();
        var slot = await _queue.WaitForReplicaAsync(_isMultiplexed ? request : request with { MultiplexedModelId = null }, readmitted, cancellationToken);
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
internal sealed record DeploymentRouterState
{
    /// <summary>State before the first snapshot.</summary>
    public static DeploymentRouterState Empty { get; } = new()
    {
        Selector = new(default, new PowerOfTwoChoicesPicker([]), [], NullLogger.Instance),
        Slots = [],
        MaxOngoing = 0,
        MaxQueued = -1,
    };

    /// <summary>The policy for requests without a model.</summary>
    public required PolicyReplicaSelector Selector { get; init; }

    /// <summary>The policy for requests with a multiplexed model; null if there is no choice.</summary>
    public MultiplexedModelPicker? Models { get; init; }

    /// <summary>Creates the error of requests that find no replica; null to queue them.</summary>
    public Func<ServeException>? Failure { get; init; }

    /// <summary>The replicas.</summary>
    public required ReplicaSlot[] Slots { get; init; }

    /// <summary>Maximum number of leases per replica.</summary>
    public required int MaxOngoing { get; init; }

    /// <summary>Maximum number of queued requests; -1 for no limit.</summary>
    public required int MaxQueued { get; init; }

    /// <summary>Whether a request that finds no replica is reported, so that one is started.</summary>
    public bool WakesOnRequest { get; init; }

    /// <summary>Whether the controller needs the deployment's load.</summary>
    public bool ReportsLoad { get; init; }

    /// <summary>The rule that <see cref="Selector"/> implements.</summary>
    public RoutingRule Rule { get; init; } = RoutingRule.Default;

    /// <summary>The application's class that is the policy; null for a built-in one. Owned by the newest state.</summary>
    public PickerClassLease? PickerClass { get; init; }

    /// <summary>Expression for the key of an HTTP request; null for none.</summary>
    public RoutingKeyExpression? Key { get; init; }
}
