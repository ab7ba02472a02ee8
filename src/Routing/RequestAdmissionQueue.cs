using System.Globalization;

namespace Serve.Routing;

/// <summary>Routing policy of a deployment, as its admission queue needs it.</summary>
internal interface IAdmissionPolicy
{
    /// <summary>Maximum number of queued requests; -1 for no limit.</summary>
    int MaxQueued { get; }

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
/// Requests that wait for a replica, in order of arrival. Shared by all routing policies. Requests for a multiplexed model wait in a queue per model, so that a
/// request that waits for the replica with its model does not block the others; among the heads of all queues the oldest is served first.
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
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly Lock _sync = new();
    private readonly LinkedList<QueuedRequest> _withoutModel = new();
    private readonly Dictionary<string, LinkedList<QueuedRequest>> _byModel = new(StringComparer.Ordinal);
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

            // If there is one queue, its head has just found no replica. With several, the heads may wait for replicas that this request does not need.
            var isFull = !readmitted && _policy.MaxQueued >= 0 && _queued >= _policy.MaxQueued;
            var mayOvertake = _queued > 0 && _byModel.Count > 0;
            if (isFull && !mayOvertake)
            {
                Interlocked.Decrement(ref _waiting);
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
    }

    private QueuedRequest Enqueue(in RoutingRequest wanted, bool atFront)
    {
        var queue = _withoutModel;
        var deadline = 0L;
        if (wanted.MultiplexedModelId is { } model)
        {
            deadline = _time.GetTimestamp() + (long)(_policy.Patience.TotalSeconds * _time.TimestampFrequency);
            if (!_byModel.TryGetValue(model, out queue))
                _byModel[model] = queue = new LinkedList<QueuedRequest>();
        }

        var request = new QueuedRequest(this, wanted, atFront ? --_firstOrder : ++_lastOrder, deadline);
        request.Node = atFront ? queue.AddFirst(request) : queue.AddLast(request);
        _queued++;
        return request;
    }

    private void Dequeue(QueuedRequest request)
    {
        var queue = request.Node!.List!;
        queue.Remove(request.Node);
        request.Node = null;
        if (queue.Count == 0 && request.Wanted.MultiplexedModelId is { } model)
            _byModel.Remove(model);
        _queued--;
        Interlocked.Decrement(ref _waiting);
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
        if (_byModel.Count == 0)
            return TryServe(_withoutModel.First!.Value);
        var heads = _byModel.Values.Select(queue => queue.First!.Value).ToList();
        if (_withoutModel.First is { Value: var first })
            heads.Add(first);
        heads.Sort(static (one, other) => one.Order.CompareTo(other.Order));
        foreach (var head in heads)
        {
            if (TryServe(head))
                return true;
        }

        return false;
    }

    private bool TryServe(QueuedRequest head)
    {
        var pick = _policy.Pick(head.Wanted, patient: head.Deadline > _time.GetTimestamp());
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
                if (queue.First!.Value.Deadline is var deadline && deadline <= now)
                    continue;
                // A timer that fires early would find the request still patient.
                var remaining = _time.GetElapsedTime(now, deadline) + TimeSpan.FromMilliseconds(1);
                delay = delay is null || remaining < delay ? remaining : delay;
            }
        }

        if (delay is { } until)
            _timer.Change(until, Timeout.InfiniteTimeSpan);
    }

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

    private sealed class QueuedRequest(RequestAdmissionQueue queue, RoutingRequest wanted, long order, long deadline)
        : TaskCompletionSource<ReplicaSlot>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public RoutingRequest Wanted => wanted;

        /// <summary>Position among the requests of all queues; lower is served first.</summary>
        public long Order => order;

        /// <summary>Timestamp until which the request waits for a replica that has its model.</summary>
        public long Deadline => deadline;

        public LinkedListNode<QueuedRequest>? Node { get; set; }

        public void Cancel(CancellationToken cancellationToken)
        {
            lock (queue._sync)
            {
                if (Node is null)
                    return;
                queue.Dequeue(this);
                SetCanceled(cancellationToken);
            }
        }
    }
}
