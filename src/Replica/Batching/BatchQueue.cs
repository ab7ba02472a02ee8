using Serve.Calls;
using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>
/// Combines the items of many callers to batches. A batch starts when it is full, when its first item has waited long enough, or when no other caller can arrive; the number of concurrent batches
/// is limited. Items of different models do not share a batch.
/// </summary>
/// <remarks>
/// Concurrency. Lock-free: at most one thread, the decider, forms batches at a time.
///
///   Idle      _pulses = 0: no decider
///   Deciding  _pulses > 0: the thread that incremented it from 0 is the decider
///
/// Any thread may push to _posted, _ended, _someLeft and _timerFired; the fields below "Owned by the decider" are accessed by the decider only.
/// Memory order: a thread publishes its item, then increments _pulses (a full barrier). The decider reads _pulses, then the lists, and becomes idle only by subtracting exactly the value that
/// it read. If another thread incremented it in between, the subtraction leaves a rest and the decider runs again; so no item is missed.
/// Batches start after the decision, on a thread of the pool; or on the caller's own thread if batches have turned out to be shorter than the cost of handing them over.
/// </remarks>
/// <typeparam name="TItem">Item type.</typeparam>
/// <typeparam name="TResult">Result type of an item.</typeparam>
public sealed class BatchQueue<TItem, TResult> : IDisposable
{
    /// <summary>Cost of handing a batch over to a thread pool with sleeping threads.</summary>
    private static readonly TimeSpan HandOver = TimeSpan.FromMicroseconds(50);

    private readonly Func<DispatchedBatch<TItem, TResult>, ValueTask> _run;
    private readonly Func<TItem, int>? _sizeOf;
    private readonly ConcurrencyLimiter? _gate;
    private readonly IBatchQueueObserver? _observer;
    private readonly Action<Exception, int>? _failed;
    private readonly TimeProvider _time;
    private readonly CancellationToken _aborted;
    private readonly CancellationTokenRegistration _aborting;
    private readonly ExecutionContext? _flow = ExecutionContext.Capture();
    private readonly ITimer _timer;
    private readonly long _ticksPerMillisecond;
    private readonly long _handOverTicks;
    private readonly bool _runsElsewhere;
    private readonly bool _refusesLarger;

    // Written by any thread.
    private QueuedBatchItem<TItem, TResult>? _posted;
    private DispatchedBatch<TItem, TResult>? _ended;
    private BatchQueueSettings _settings;
    private int _pulses;
    private int _someLeft;
    private int _timerFired;
    private bool _quick;
    private bool _disposed;

    // Owned by the decider.
    private readonly BatchModelGroup<TItem, TResult> _unnamed = new(null);
    private readonly List<BatchModelGroup<TItem, TResult>> _groups = [];
    private readonly Dictionary<string, BatchModelGroup<TItem, TResult>> _named = new(StringComparer.Ordinal);
    private readonly List<DispatchedBatch<TItem, TResult>> _running = [];
    private readonly AdaptiveBatchWindow _window = new();
    private int _waiting;
    private int _taken;
    private int _most;
    private int _formed;
    private long _armed = long.MaxValue;

    /// <summary>Creates an empty queue.</summary>
    /// <param name="run">Runs a batch: starts it, sets the result of each item, and completes. Items without a result fail; all of them if it throws.</param>
    /// <param name="options">Options of the queue.</param>
    public BatchQueue(Func<DispatchedBatch<TItem, TResult>, ValueTask> run, BatchQueueOptions<TItem>? options = null)
    {
        options ??= new();
        _run = run;
        (_settings, _sizeOf, _gate, _observer, _failed, _time, _aborted, _runsElsewhere, _refusesLarger) =
            (options.Settings, options.SizeOf, options.Gate, options.Observer, options.Failed, options.Time, options.Aborted, options.RunsElsewhere, options.RefusesLarger);
        _ticksPerMillisecond = _time.TimestampFrequency / 1000;
        _handOverTicks = ToTicks(HandOver);
        _timer = _time.CreateTimer(static queue => ((BatchQueue<TItem, TResult>)queue!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _aborting = _aborted.UnsafeRegister(static queue => ((BatchQueue<TItem, TResult>)queue!).Pulse(mayRun: false), this);
        if (_gate is not null)
            _gate.Closed += OnGateClosed;
    }

    /// <summary>Settings of the queue. A change takes effect with the next decision.</summary>
    public BatchQueueSettings Settings
    {
        get => Volatile.Read(ref _settings);
        set
        {
            Volatile.Write(ref _settings, value);
            Pulse(mayRun: false);
        }
    }

    /// <summary>Number of queued items.</summary>
    public int Length => Volatile.Read(ref _waiting);

    internal bool IsAborted => _aborted.IsCancellationRequested || Volatile.Read(ref _disposed);

    internal long Now => _time.GetTimestamp();

    /// <summary>Adds an item.</summary>
    /// <param name="value">Value of the item.</param>
    /// <param name="model">Requested model; null for none.</param>
    /// <param name="urgency">Deadline and priority.</param>
    /// <param name="cancellationToken">Removes the item while it is queued; later, abandons its result.</param>
    /// <returns>The result of the item; continuations never run on a thread that runs a batch.</returns>
    /// <exception cref="BadInputException">The item is larger than a batch may be.</exception>
    /// <exception cref="DeadlineUnmeetableException">The item's batch would end after its deadline.</exception>
    public ValueTask<TResult> EnqueueAsync(TItem value, string? model, CallUrgency urgency, CancellationToken cancellationToken)
    {
        var size = _sizeOf is null ? 1 : Math.Max(1, _sizeOf(value));
        if (_refusesLarger && size > 1 && size > Settings.MaxBatchSize)
            throw new BadInputException($"The size of the item must be at most {Settings.MaxBatchSize}, the maximum size of a batch, but was {size}.");
        var item = new QueuedBatchItem<TItem, TResult>(this, value, model, urgency, size, Now);
        if (cancellationToken.CanBeCanceled && cancellationToken != _aborted)
        {
            item.LeaveWith(cancellationToken);
            if (item.HasEnded)
                return item.Result;
        }

        var head = Volatile.Read(ref _posted);
        while (true)
        {
            item.Next = head;
            var seen = Interlocked.CompareExchange(ref _posted, item, head);
            if (ReferenceEquals(seen, head))
                break;
            head = seen;
        }

        Pulse(mayRun: true);
        return item.Result;
    }

    /// <summary>Disposes the timer. Queued and later items are canceled.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _disposed, true);
        Pulse(mayRun: false);
        if (_gate is not null)
            _gate.Closed -= OnGateClosed;
        _aborting.Unregister();
        _timer.Dispose();
    }

    /// <summary>Runs a batch to its end.</summary>
    internal void Run(DispatchedBatch<TItem, TResult> batch)
    {
        // The execution context of one caller must not be visible to the others.
        var own = ExecutionContext.Capture();
        var foreign = _flow is not null && own is not null && !ReferenceEquals(own, _flow);
        if (foreign)
            ExecutionContext.Restore(_flow!);
        var from = Now;
        ValueTask pending;
        try
        {
            pending = _run(batch);
        }
        catch (Exception thrown)
        {
            pending = ValueTask.FromException(thrown);
        }

        if (batch.Started != 0)
            Volatile.Write(ref _quick, Now - from < _handOverTicks);
        if (pending.IsCompleted)
            Finish(batch, pending);
        else
            _ = FinishAsync(batch, pending);
        if (foreign)
            ExecutionContext.Restore(own!);
    }

    /// <summary>Called when an item was canceled before its batch started.</summary>
    internal void Left()
    {
        Volatile.Write(ref _someLeft, 1);
        Pulse(mayRun: false);
    }

    /// <summary>Reports the exception of a batch and the number of affected callers, unless the batch was aborted.</summary>
    internal void ReportFailure(Exception thrown, int callers)
    {
        if (callers > 0 && !(IsAborted && thrown is OperationCanceledException))
            _failed?.Invoke(thrown, callers);
    }

    private async Task FinishAsync(DispatchedBatch<TItem, TResult> batch, ValueTask pending)
    {
        try
        {
            await pending.ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            Fail(batch, thrown);
        }

        End(batch);
    }

    private void Finish(DispatchedBatch<TItem, TResult> batch, ValueTask completed)
    {
        try
        {
            completed.GetAwaiter().GetResult();
        }
        catch (Exception thrown)
        {
            Fail(batch, thrown);
        }

        End(batch);
    }

    private void Fail(DispatchedBatch<TItem, TResult> batch, Exception thrown)
    {
        ReportFailure(thrown, batch.Unended);
        batch.Fail(thrown);
    }

    private void End(DispatchedBatch<TItem, TResult> batch)
    {
        batch.Ended = Now;
        batch.AtEnd?.Invoke();
        var head = Volatile.Read(ref _ended);
        while (true)
        {
            batch.Next = head;
            var seen = Interlocked.CompareExchange(ref _ended, batch, head);
            if (ReferenceEquals(seen, head))
                break;
            head = seen;
        }

        Pulse(mayRun: false);
        batch.FailUnended();
        if (batch.Count > 0)
        {
            _observer?.OnEnded(
                batch.Count, batch.Size / (double)batch.MaxBatchSize, _time.GetElapsedTime(batch.Arrived, batch.Started), _time.GetElapsedTime(batch.Started, batch.Ended));
        }
    }

    private void OnTimer()
    {
        Volatile.Write(ref _timerFired, 1);
        Pulse(mayRun: false);
    }

    private void OnGateClosed() => Pulse(mayRun: false);

    /// <summary>Requests a decision: by this thread, or by the current decider, which then runs again.</summary>
    /// <param name="mayRun">Whether this thread is a caller's, which may run a short batch itself.</param>
    private void Pulse(bool mayRun)
    {
        if (Interlocked.Increment(ref _pulses) != 1)
            return;
        DispatchedBatch<TItem, TResult>? first = null;
        DispatchedBatch<TItem, TResult>? last = null;
        int seen;
        do
        {
            seen = Volatile.Read(ref _pulses);
            Decide(ref first, ref last);
        }
        while (Interlocked.Add(ref _pulses, -seen) != 0);

        var here = mayRun && (_runsElsewhere || Volatile.Read(ref _quick)) ? first : null;
        for (var batch = ReferenceEquals(here, first) ? first?.Next : first; batch is not null;)
        {
            var next = batch.Next;
            batch.Next = null;
            ThreadPool.UnsafeQueueUserWorkItem(batch, preferLocal: false);
            batch = next;
        }

        if (here is not null)
        {
            here.Next = null;
            Run(here);
        }
    }

    private void Decide(ref DispatchedBatch<TItem, TResult>? first, ref DispatchedBatch<TItem, TResult>? last)
    {
        var current = Settings;
        TakePosted();
        _most = Math.Max(_most, _waiting + _taken);
        TakeEnded();
        if (Volatile.Read(ref _someLeft) != 0 && Interlocked.Exchange(ref _someLeft, 0) != 0)
            Sweep();
        if (Volatile.Read(ref _timerFired) != 0 && Interlocked.Exchange(ref _timerFired, 0) != 0)
            _armed = long.MaxValue;
        if (IsAborted)
            Abort();
        while (_waiting > 0 && _running.Count < current.MaxConcurrentBatches)
        {
            RefuseLate();
            if (_waiting == 0 || NextReady(current) is not { } group)
                break;
            var batch = Form(group, current);
            if (first is null)
                first = batch;
            else
                last!.Next = batch;
            last = batch;
        }
    }

    private DispatchedBatch<TItem, TResult> Form(BatchModelGroup<TItem, TResult> group, BatchQueueSettings current)
    {
        var items = group.Take(current.MaxBatchSize);
        _waiting -= items.Length;
        _taken += items.Length;
        if (group.Count == 0)
            Forget(group);
        _window.OnStarted(_most);
        _most = _waiting + _taken;
        var batch = new DispatchedBatch<TItem, TResult>(this, items, current.MaxBatchSize);
        _running.Add(batch);
        return batch;
    }

    /// <summary>Fails the items whose batch, if it started now, would end after their deadlines.</summary>
    private void RefuseLate()
    {
        var (now, anyLate) = (Now, false);
        foreach (var group in _groups)
        {
            for (var item = group.Timed == 0 ? null : group.First; item is not null; item = item.Next)
            {
                if (item.Urgency.Deadline != 0 && now + _window.CostOf(item.Size) > item.Urgency.Deadline)
                    anyLate |= item.TrySetException(new DeadlineUnmeetableException("The batch of the request would end after its deadline."));
            }
        }

        if (anyLate)
            Sweep();
    }

    /// <summary>Returns, among the groups that may start, the one whose first item has the highest priority, or of several the one that has waited longest; every 16th time whatever the priority. If there is none, sets the timer for the group that may start first.</summary>
    private BatchModelGroup<TItem, TResult>? NextReady(BatchQueueSettings current)
    {
        BatchModelGroup<TItem, TResult>? ready = null;
        var now = Now;
        var due = long.MaxValue;
        var isComplete = _gate is not null && (_gate.IsClosed || _waiting + _taken >= _gate.Limit);
        foreach (var group in _groups)
        {
            var startBy = isComplete || group.Size >= current.MaxBatchSize ? now : StartBy(group, current, now);
            if (startBy > now)
                due = Math.Min(due, startBy);
            else if (ready is null || Precedes(group, ready))
                ready = group;
        }

        if (ready is null)
            Arm(due, now);
        else
            _formed++;
        return ready;
    }

    private bool Precedes(BatchModelGroup<TItem, TResult> one, BatchModelGroup<TItem, TResult> other)
    {
        var (priority, otherPriority) = (one.First!.Urgency.Priority, other.First!.Urgency.Priority);
        return priority == otherPriority || _formed % BatchModelGroup<TItem, TResult>.OldestEvery == BatchModelGroup<TItem, TResult>.OldestEvery - 1 ? one.OldestArrival < other.OldestArrival : priority > otherPriority;
    }

    private long StartBy(BatchModelGroup<TItem, TResult> group, BatchQueueSettings current, long now)
    {
        var latest = group.OldestArrival + ToTicks(current.WaitTimeout);
        // A batch that waits must not miss a deadline because of that.
        if (group.Timed > 0)
            latest = Math.Min(latest, group.EarliestDeadline - (2 * _window.CostOf(group.Size)));
        return current.Adaptive && latest > now ? Math.Min(latest, _window.StartBy(group.Count, group.Size, now)) : latest;
    }

    // Rounded up to milliseconds, the resolution of timers: a timer that fired early would have to be set again.
    private void Arm(long due, long now)
    {
        if (due >= _armed)
            return;
        _armed = due;
        _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling((due - now) / (double)_ticksPerMillisecond)), Timeout.InfiniteTimeSpan);
    }

    private void TakePosted()
    {
        var list = Interlocked.Exchange(ref _posted, null);
        QueuedBatchItem<TItem, TResult>? inOrder = null;
        while (list is not null)
            (list.Next, inOrder, list) = (inOrder, list, list.Next);
        var count = _waiting;
        while (inOrder is { } item)
        {
            inOrder = item.Next;
            item.Next = null;
            if (item.HasEnded)
                continue;
            _window.OnArrived(item.Arrived);
            GroupOf(item.Model).Add(item);
            count++;
        }

        Volatile.Write(ref _waiting, count);
    }

    private void TakeEnded()
    {
        for (var batch = Interlocked.Exchange(ref _ended, null); batch is not null;)
        {
            var next = batch.Next;
            batch.Next = null;
            _running.Remove(batch);
            _taken -= batch.Formed;
            if (batch.Count > 0)
                _window.OnEnded(batch.Size, batch.Ended - batch.Started, batch.Ended);
            batch = next;
        }
    }

    private void Sweep()
    {
        var left = 0;
        for (var i = _groups.Count - 1; i >= 0; i--)
        {
            var group = _groups[i];
            group.Sweep();
            left += group.Count;
            if (group.Count == 0)
                Forget(group);
        }

        Volatile.Write(ref _waiting, left);
    }

    private void Abort()
    {
        foreach (var group in _groups)
        {
            for (var item = group.First; item is not null; item = item.Next)
                item.TrySetException(new OperationCanceledException(_aborted));
        }

        Sweep();
        foreach (var batch in _running)
            batch.Cancel();
    }

    private BatchModelGroup<TItem, TResult> GroupOf(string? model)
    {
        BatchModelGroup<TItem, TResult>? group;
        if (model is null)
            group = _unnamed;
        else if (!_named.TryGetValue(model, out group))
            _named[model] = group = new(model);
        if (group.Count == 0)
            _groups.Add(group);
        return group;
    }

    private void Forget(BatchModelGroup<TItem, TResult> group)
    {
        _groups.Remove(group);
        if (group.Model is { } model)
            _named.Remove(model);
    }

    private long ToTicks(TimeSpan span) => (long)(span.TotalMilliseconds * _ticksPerMillisecond);
}
