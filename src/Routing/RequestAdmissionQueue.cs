using System.Globalization;

namespace Serve.Routing;

/// <summary>Routing policy of a deployment, as its admission queue needs it.</summary>
internal interface IAdmissionPolicy
{
    /// <summary>Maximum number of queued requests; -1 for no limit.</summary>
    int MaxQueued { get; }

    /// <summary>Number of requests that replicas serve for this router.</summary>
    int Ongoing { get; }

    /// <summary>How long a request waits for a replica that has its model before another one loads it.</summary>
    TimeSpan Patience { get; }

    /// <summary>Human-readable description of the overload, for error messages.</summary>
    string Description { get; }

    /// <summary>Picks a replica.</summary>
    /// <param name="request">The request.</param>
    /// <param name="patient">Whether to wait for a replica that has the request's model rather than let another one load it.</param>
    ReplicaPickResult Pick(in RoutingRequest request, bool patient);

    /// <summary>Returns the time until a replica that refused may be picked again; null if only a returned lease or a new snapshot can help.</summary>
    TimeSpan? GetRetryDelay();
}

/// <summary>
/// Requests that wait for a replica, by priority and in order of arrival. Shared by all routing policies. Requests for a multiplexed model wait in a queue per model, so that a
/// request that waits for the replica with its model does not block the others. One of 16 requests that leave is the oldest of all, so that no priority starves. A full queue drops the newest
/// request of the lowest priority. A request that cannot be completed before its deadline at the current rate is refused.
/// </summary>
/// <remarks>
/// Concurrency. All queues are guarded by <see cref="_sync"/>. A request leaves its queue when it gets a replica, when it fails, or when it is canceled; the
/// thread that dequeues it, under the lock, completes it.
/// <see cref="Waiting"/> is read without the lock. Memory order: a request increments it (full barrier) before it looks for a replica; a lease is returned by an
/// interlocked decrement before its holder reads <see cref="Waiting"/>. One of the two therefore observes the other: either the request finds the returned
/// capacity, or the holder sees the request and calls <see cref="Pump"/>.
/// </remarks>
internal sealed class RequestAdmissionQueue : IDisposable
{
    /// <summary>One of this many requests that leave is the oldest.</summary>
    private const int OldestEvery = 16;

    /// <summary>Number of served requests from which the rate is reliable enough to refuse requests.</summary>
    private const int MinRateSamples = 16;

    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly Lock _sync = new();
    private readonly RankedRequestQueue _withoutModel = new();
    private readonly Dictionary<string, RankedRequestQueue> _byModel = new(StringComparer.Ordinal);
    private readonly IAdmissionPolicy _policy;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _waiting;
    private int _queued;
    private long _firstOrder;
    private long _lastOrder;
    private long _busySince;
    private long _served;

    public RequestAdmissionQueue(IAdmissionPolicy policy, TimeProvider time)
    {
        _policy = policy;
        _time = time;
        _timer = time.CreateTimer(static state => ((RequestAdmissionQueue)state!).Pump(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Number of waiting requests. A new request may pick a replica itself only while it is 0.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    private bool IsOldestDue => _served % OldestEvery == OldestEvery - 1;

    /// <summary>Waits for a replica.</summary>
    /// <param name="wanted">The request; without a model if the deployment has none.</param>
    /// <param name="readmitted">Whether a replica refused the request after it was admitted: it goes to the front of the queue, whatever the queue's length.</param>
    /// <param name="cancellationToken">Removes the request from the queue.</param>
    /// <returns>The replica, with a lease on it.</returns>
    public async ValueTask<ReplicaSlot> WaitForReplicaAsync(RoutingRequest wanted, bool readmitted, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!TryPickOrEnqueue(wanted, readmitted, out var slot, out var request))
            throw Overloaded();
        if (request is null)
            return slot!;

        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((QueuedRequest)state!).Cancel(token), request);
        return await request.Task;
    }

    /// <summary>Assigns replicas to waiting requests as long as there are both.</summary>
    public void Pump()
    {
        lock (_sync)
            ServeQueues();
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Removes a request that has not left the queue.</summary>
    internal bool TryRemove(QueuedRequest request)
    {
        lock (_sync)
        {
            if (request.Node is null)
                return false;
            Dequeue(request);
            return true;
        }
    }

    private bool TryPickOrEnqueue(in RoutingRequest wanted, bool readmitted, out ReplicaSlot? slot, out QueuedRequest? request)
    {
        slot = null;
        request = null;
        lock (_sync)
        {
            // Before the pick: see the remarks on memory order.
            Interlocked.Increment(ref _waiting);
            if (readmitted || _queued == 0)
            {
                var pick = _policy.Pick(wanted, patient: true);
                if (pick.Slot is not null || pick.Failure is not null)
                {
                    Interlocked.Decrement(ref _waiting);
                    slot = pick.Slot;
                    return pick.Failure is null ? true : throw pick.Failure();
                }
            }

            if (!readmitted && wanted.Urgency.Deadline != 0 && IsTooLate(wanted, CountFrom(wanted.Urgency.Priority)))
            {
                Interlocked.Decrement(ref _waiting);
                throw TooLate();
            }

            return TryEnqueue(wanted, readmitted, out request);
        }
    }

    private bool TryEnqueue(in RoutingRequest wanted, bool readmitted, out QueuedRequest? request)
    {
        // If there is one queue, its head has just found no replica. With several, the heads may wait for replicas that this request does not need.
        var isFull = !readmitted && _policy.MaxQueued >= 0 && _queued >= _policy.MaxQueued && !TryDropLower(wanted.Urgency.Priority);
        var mayOvertake = _queued > 0 && _byModel.Count > 0;
        if (isFull && !mayOvertake)
        {
            Interlocked.Decrement(ref _waiting);
            request = null;
            return false;
        }

        if (_queued == 0)
            (_busySince, _served) = (_time.GetTimestamp(), 0);
        request = Enqueue(wanted, readmitted);
        if (mayOvertake)
            ServeQueues();
        else
            ScheduleRetry();
        if (!isFull || request.Node is null)
            return true;
        Dequeue(request);
        request = null;
        return false;
    }

    private QueuedRequest Enqueue(in RoutingRequest wanted, bool atFront)
    {
        var queue = _withoutModel;
        var patientUntil = 0L;
        if (wanted.MultiplexedModelId is { } model)
        {
            patientUntil = _time.GetTimestamp() + (long)(_policy.Patience.TotalSeconds * _time.TimestampFrequency);
            if (!_byModel.TryGetValue(model, out queue))
                _byModel[model] = queue = new RankedRequestQueue();
        }

        var request = new QueuedRequest(this, wanted, atFront ? --_firstOrder : ++_lastOrder, patientUntil);
        queue.Add(request, atFront);
        _queued++;
        return request;
    }

    private void Dequeue(QueuedRequest request)
    {
        var model = request.Wanted.MultiplexedModelId;
        var queue = model is null ? _withoutModel : _byModel[model];
        queue.Remove(request);
        if (queue.Count == 0 && model is not null)
            _byModel.Remove(model);
        _queued--;
        Interlocked.Decrement(ref _waiting);
    }

    /// <summary>Drops the newest request of the lowest priority if that is below the given one.</summary>
    private bool TryDropLower(int priority)
    {
        var lowest = _withoutModel.FindLowest();
        foreach (var queue in _byModel.Values)
        {
            if (queue.FindLowest() is { } other && (lowest is null || (other.Wanted.Urgency.Priority, -other.Order).CompareTo((lowest.Wanted.Urgency.Priority, -lowest.Order)) < 0))
                lowest = other;
        }

        if (lowest is null || lowest.Wanted.Urgency.Priority >= priority)
            return false;
        Dequeue(lowest);
        lowest.SetException(Overloaded());
        return true;
    }

    private void ServeQueues()
    {
        while (_queued > 0)
        {
            if (TryServe())
                continue;
            ScheduleRetry();
            return;
        }
    }

    private bool TryServe()
    {
        var oldest = IsOldestDue;
        if (_byModel.Count == 0)
            return TryServe(_withoutModel.Peek(oldest));
        var heads = _byModel.Values.Select(queue => queue.Peek(oldest)).ToList();
        if (_withoutModel.Count > 0)
            heads.Add(_withoutModel.Peek(oldest));
        heads.Sort((one, other) => oldest || one.Wanted.Urgency.Priority == other.Wanted.Urgency.Priority
            ? one.Order.CompareTo(other.Order)
            : other.Wanted.Urgency.Priority.CompareTo(one.Wanted.Urgency.Priority));
        foreach (var head in heads)
        {
            if (TryServe(head))
                return true;
        }

        return false;
    }

    private bool TryServe(QueuedRequest head)
    {
        if (head.Wanted.Urgency.Deadline != 0 && IsTooLate(head.Wanted, ahead: 0))
        {
            Dequeue(head);
            head.SetException(TooLate());
            return true;
        }

        var pick = _policy.Pick(head.Wanted, patient: head.PatientUntil > _time.GetTimestamp());
        if (pick.Slot is null && pick.Failure is null)
            return false;
        Dequeue(head);
        _served++;
        if (pick.Slot is { } slot)
            head.SetResult(slot);
        else
            head.SetException(pick.Failure!());
        return true;
    }

    private void ScheduleRetry()
    {
        var delay = _policy.GetRetryDelay();
        if (_byModel.Count > 0)
        {
            var now = _time.GetTimestamp();
            foreach (var queue in _byModel.Values)
            {
                if (queue.Peek(oldest: false).PatientUntil is var until && until <= now)
                    continue;
                // A timer that fires early would find the request still patient.
                var remaining = _time.GetElapsedTime(now, until) + TimeSpan.FromMilliseconds(1);
                delay = delay is null || remaining < delay ? remaining : delay;
            }
        }

        if (delay is { } next)
            _timer.Change(next, Timeout.InfiniteTimeSpan);
    }

    private int CountFrom(int priority) => _withoutModel.CountFrom(priority) + _byModel.Values.Sum(queue => queue.CountFrom(priority));

    /// <summary>
    /// Returns whether a request cannot be completed before its deadline: it waits for those ahead of it at the rate at which requests have left the queue since it was last empty, and then takes as
    /// long as others, which is their number divided by the rate (Little's law).
    /// </summary>
    private bool IsTooLate(in RoutingRequest wanted, int ahead)
    {
        var now = _time.GetTimestamp();
        if (_served < MinRateSamples)
            return wanted.Urgency.Deadline <= now;
        var interval = (now - _busySince) / (double)_served;
        return now + (interval * (ahead + _policy.Ongoing)) > wanted.Urgency.Deadline;
    }

    private DeadlineUnmeetableException TooLate() => new($"{_policy.Description}, and {_queued} requests wait: the request cannot be completed before its deadline.");

    private OverloadedException Overloaded()
    {
        TimeSpan delay;
        int length;
        lock (_sync)
        {
            // The time to serve the current queue at the current rate.
            length = _queued;
            delay = _served == 0 ? ShortestRetry : _time.GetElapsedTime(_busySince) * ((double)length / _served);
        }

        delay = TimeSpan.FromTicks(Math.Clamp(delay.Ticks, ShortestRetry.Ticks, LongestRetry.Ticks));
        return new OverloadedException(
            string.Create(CultureInfo.InvariantCulture, $"{_policy.Description}, and the queue is full with {length} requests (max_queued_requests)."), delay);
    }
}
