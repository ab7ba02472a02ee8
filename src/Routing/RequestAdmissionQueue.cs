using System.Globalization;

namespace Serve.Routing;

/// <summary>
/// Requests that wait for a replica, first come first served: what every policy shares. Those that ask for a multiplexed model have a line for each
/// model, so that one that waits for the replica that has its model keeps nobody from another; among the first of all lines who came first is first. A
/// waiter leaves when it is given a replica, when waiting has become useless, or when it is cancelled; whoever takes it off its line, under the
/// lock, decides which.
/// </summary>
internal sealed class RequestAdmissionQueue : IDisposable
{
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly LinkedList<QueuedRequest> _plain = new();
    private readonly Dictionary<string, LinkedList<QueuedRequest>> _byModel = new(StringComparer.Ordinal);
    private readonly IAdmissionPolicy _admission;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _waiting;
    private int _lined;
    private long _firstOrder;
    private long _lastOrder;
    private long _busySince;
    private long _granted;

    public RequestAdmissionQueue(IAdmissionPolicy admission, TimeProvider time)
    {
        this._admission = admission;
        this._time = time;
        _timer = time.CreateTimer(static state => ((RequestAdmissionQueue)state!).Pump(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many wait. A newcomer that sees 0 may pick for itself; otherwise it goes behind them.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Waits for a replica.</summary>
    /// <param name="model">The multiplexed model asked for; null for none.</param>
    /// <param name="readmitted">Whether it had been admitted before and was refused: it goes to the front and is not counted against the limit.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The replica, entered.</returns>
    public async ValueTask<ReplicaSlot> WaitForReplicaAsync(string? model, bool readmitted, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!TryPickOrEnqueue(model, readmitted, out var slot, out var waiter))
            throw Overloaded();
        if (waiter is null)
            return slot!;

        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((QueuedRequest)state!).Cancel(token), waiter);
        return await waiter.Task;
    }

    /// <summary>Gives replicas to waiters as long as there are both.</summary>
    public void Pump()
    {
        lock (_gate)
            ServeQueues();
    }

    public void Dispose() => _timer.Dispose();

    private bool TryPickOrEnqueue(string? model, bool readmitted, out ReplicaSlot? slot, out QueuedRequest? waiter)
    {
        slot = null;
        waiter = null;
        lock (_gate)
        {
            // Announced before looking: whoever returns a lease after this look sees the count and pumps.
            Interlocked.Increment(ref _waiting);
            if (readmitted || _lined == 0)
            {
                var pick = _admission.Pick(model, patient: true);
                if (pick.Slot is not null || pick.Failure is not null)
                {
                    Interlocked.Decrement(ref _waiting);
                    slot = pick.Slot;
                    return pick.Failure is null ? true : throw pick.Failure();
                }
            }

            // With one line alone, its first has just found no room. With several, they may wait for replicas that this one does not need.
            var isFull = !readmitted && _admission.MaxQueued >= 0 && _lined >= _admission.MaxQueued;
            var mayPass = _lined > 0 && _byModel.Count > 0;
            if (isFull && !mayPass)
            {
                Interlocked.Decrement(ref _waiting);
                return false;
            }

            if (_lined == 0)
                (_busySince, _granted) = (_time.GetTimestamp(), 0);
            waiter = Enqueue(model, readmitted);
            if (mayPass)
                ServeQueues();
            else
                ScheduleRetry();
            if (!isFull || waiter.Node is null)
                return true;
            Dequeue(waiter);
            waiter = null;
            return false;
        }
    }

    private QueuedRequest Enqueue(string? model, bool atFront)
    {
        var line = _plain;
        var deadline = 0L;
        if (model is not null)
        {
            deadline = _time.GetTimestamp() + (long)(_admission.Patience.TotalSeconds * _time.TimestampFrequency);
            if (!_byModel.TryGetValue(model, out line))
                _byModel[model] = line = new LinkedList<QueuedRequest>();
        }

        var waiter = new QueuedRequest(this, model, atFront ? --_firstOrder : ++_lastOrder, deadline);
        waiter.Node = atFront ? line.AddFirst(waiter) : line.AddLast(waiter);
        _lined++;
        return waiter;
    }

    private void Dequeue(QueuedRequest waiter)
    {
        var line = waiter.Node!.List!;
        line.Remove(waiter.Node);
        waiter.Node = null;
        if (line.Count == 0 && waiter.Model is { } model)
            _byModel.Remove(model);
        _lined--;
        Interlocked.Decrement(ref _waiting);
    }

    private void ServeQueues()
    {
        while (_lined > 0)
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
            return TryServe(_plain.First!.Value);
        var heads = _byModel.Values.Select(line => line.First!.Value).ToList();
        if (_plain.First is { Value: var first })
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
        var pick = _admission.Pick(head.Model, patient: head.Deadline > _time.GetTimestamp());
        if (pick.Slot is null && pick.Failure is null)
            return false;
        Dequeue(head);
        _granted++;
        if (pick.Slot is { } slot)
            head.SetResult(slot);
        else
            head.SetException(pick.Failure!());
        return true;
    }

    private void ScheduleRetry()
    {
        var wait = _admission.GetRetryDelay();
        if (_byModel.Count > 0)
        {
            var now = _time.GetTimestamp();
            foreach (var line in _byModel.Values)
            {
                if (line.First!.Value.Deadline is var deadline && deadline <= now)
                    continue;
                // A timer that is early would find the waiter patient still.
                var left = _time.GetElapsedTime(now, deadline) + TimeSpan.FromMilliseconds(1);
                wait = wait is null || left < wait ? left : wait;
            }
        }

        if (wait is { } until)
            _timer.Change(until, Timeout.InfiniteTimeSpan);
    }

    private OverloadedException Overloaded()
    {
        TimeSpan wait;
        int length;
        lock (_gate)
        {
            // As long as the present queue needs at its present pace.
            length = _lined;
            wait = _granted == 0 ? ShortestRetry : _time.GetElapsedTime(_busySince) * ((double)length / _granted);
        }

        wait = TimeSpan.FromTicks(Math.Clamp(wait.Ticks, ShortestRetry.Ticks, LongestRetry.Ticks));
        return new OverloadedException(
            string.Create(CultureInfo.InvariantCulture, $"{_admission.Description}; {length} requests are queued, the most it queues (max_queued_requests)."), wait);
    }

    private sealed class QueuedRequest(RequestAdmissionQueue queue, string? model, long order, long deadline)
        : TaskCompletionSource<ReplicaSlot>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public string? Model => model;

        /// <summary>Who came first has the lower one.</summary>
        public long Order => order;

        /// <summary>Until when it rather waits for a replica that has its model.</summary>
        public long Deadline => deadline;

        public LinkedListNode<QueuedRequest>? Node { get; set; }

        public void Cancel(CancellationToken cancellationToken)
        {
            lock (queue._gate)
            {
                if (Node is null)
                    return;
                queue.Dequeue(this);
                SetCanceled(cancellationToken);
            }
        }
    }
}
