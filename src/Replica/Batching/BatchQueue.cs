using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>
/// Gathers items of many callers into batches. A batch starts when it is full, when its first item has waited long enough, or when nobody else can come, and no more than so many run at once. Items
/// of different models do not share one.
/// <para>
/// Lock-free: callers push, and whoever finds nobody deciding decides, for all who come meanwhile too. So all but the fields that callers push to have one writer at a
/// time, the holder. Batches are started after the decision, on a thread of the pool; on the caller's own only when they have turned out to be shorter than handing them over costs.
/// </para>
/// </summary>
/// <typeparam name="TItem">What callers put in.</typeparam>
/// <typeparam name="TResult">What each of them gets.</typeparam>
internal sealed class BatchQueue<TItem, TResult> : IDisposable
{
    /// <summary>What handing a batch over may cost, with a pool whose threads sleep.</summary>
    private static readonly TimeSpan HandOver = TimeSpan.FromMicroseconds(50);

    private readonly Func<Batch<TItem, TResult>, ValueTask> run;
    private readonly Func<TItem, int>? sizeOf;
    private readonly ActorGate? gate;
    private readonly IBatchObserver? observer;
    private readonly Action<Exception, int>? failed;
    private readonly TimeProvider time;
    private readonly CancellationToken aborted;
    private readonly CancellationTokenRegistration aborting;
    private readonly ExecutionContext? flow = ExecutionContext.Capture();
    private readonly ITimer timer;
    private readonly long ticksPerMillisecond;
    private readonly long handOverTicks;
    private readonly bool runsElsewhere;
    private readonly bool refusesLarger;

    // Written by anyone.
    private BatchItem<TItem, TResult>? posted;
    private Batch<TItem, TResult>? ended;
    private BatchSettings settings;
    private int pulses;
    private int someLeft;
    private int timerFired;
    private bool quick;
    private bool disposed;

    // Written by the holder.
    private readonly BatchGroup<TItem, TResult> unnamed = new(null);
    private readonly List<BatchGroup<TItem, TResult>> groups = [];
    private readonly Dictionary<string, BatchGroup<TItem, TResult>> named = new(StringComparer.Ordinal);
    private readonly List<Batch<TItem, TResult>> running = [];
    private readonly AdaptiveWindow window = new();
    private int waiting;
    private int taken;
    private int most;
    private long armed = long.MaxValue;

    /// <summary>Makes an empty queue.</summary>
    /// <param name="run">Runs a batch: starts it, gives each item its result, and completes when it is done. Items left without one fail, all of them if it throws.</param>
    /// <param name="options">The rest.</param>
    public BatchQueue(Func<Batch<TItem, TResult>, ValueTask> run, BatchQueueOptions<TItem>? options = null)
    {
        options ??= new();
        this.run = run;
        (settings, sizeOf, gate, observer, failed, time, aborted, runsElsewhere, refusesLarger) =
            (options.Settings, options.SizeOf, options.Gate, options.Observer, options.Failed, options.Time, options.Aborted, options.RunsElsewhere, options.RefusesLarger);
        ticksPerMillisecond = time.TimestampFrequency / 1000;
        handOverTicks = ToTicks(HandOver);
        timer = time.CreateTimer(static queue => ((BatchQueue<TItem, TResult>)queue!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        aborting = aborted.UnsafeRegister(static queue => ((BatchQueue<TItem, TResult>)queue!).Pulse(mayRun: false), this);
        if (gate is not null)
            gate.Closed += OnGateClosed;
    }

    /// <summary>How it gathers items. What is set is in force from the next decision on.</summary>
    public BatchSettings Settings
    {
        get => Volatile.Read(ref settings);
        set
        {
            Volatile.Write(ref settings, value);
            Pulse(mayRun: false);
        }
    }

    /// <summary>How many items wait.</summary>
    public int Length => Volatile.Read(ref waiting);

    internal bool IsAborted => aborted.IsCancellationRequested || Volatile.Read(ref disposed);

    internal long Now => time.GetTimestamp();

    /// <summary>Puts an item in.</summary>
    /// <param name="value">The item.</param>
    /// <param name="model">The model it asks for; null for none.</param>
    /// <param name="cancellationToken">Takes it out while it waits; later, gives up on its result.</param>
    /// <returns>Its result, never on a thread that runs a batch.</returns>
    /// <exception cref="BadInputException">It is larger than a batch may be.</exception>
    public ValueTask<TResult> EnqueueAsync(TItem value, string? model, CancellationToken cancellationToken)
    {
        var size = sizeOf is null ? 1 : Math.Max(1, sizeOf(value));
        if (refusesLarger && size > 1 && size > Settings.MaxBatchSize)
            throw new BadInputException($"The item's size is {size}, and a batch holds {Settings.MaxBatchSize} at most.");
        var item = new BatchItem<TItem, TResult>(this, value, model, size, Now);
        if (cancellationToken.CanBeCanceled && cancellationToken != aborted)
        {
            item.LeaveWith(cancellationToken);
            if (item.HasEnded)
                return item.Result;
        }

        var head = Volatile.Read(ref posted);
        while (true)
        {
            item.Next = head;
            var seen = Interlocked.CompareExchange(ref posted, item, head);
            if (ReferenceEquals(seen, head))
                break;
            head = seen;
        }

        Pulse(mayRun: true);
        return item.Result;
    }

    /// <summary>Gives its timer back. What waits, or comes later, is cancelled.</summary>
    public void Dispose()
    {
        Volatile.Write(ref disposed, true);
        Pulse(mayRun: false);
        if (gate is not null)
            gate.Closed -= OnGateClosed;
        aborting.Unregister();
        timer.Dispose();
    }

    /// <summary>Runs a batch and sees to its end.</summary>
    internal void Run(Batch<TItem, TResult> batch)
    {
        // What one caller has in its execution context is not its neighbours' business.
        var own = ExecutionContext.Capture();
        var foreign = flow is not null && own is not null && !ReferenceEquals(own, flow);
        if (foreign)
            ExecutionContext.Restore(flow!);
        var from = Now;
        ValueTask pending;
        try
        {
            pending = run(batch);
        }
        catch (Exception thrown)
        {
            pending = ValueTask.FromException(thrown);
        }

        if (batch.Started != 0)
            Volatile.Write(ref quick, Now - from < handOverTicks);
        if (pending.IsCompleted)
            Finish(batch, pending);
        else
            _ = FinishAsync(batch, pending);
        if (foreign)
            ExecutionContext.Restore(own!);
    }

    /// <summary>An item has left before its batch started.</summary>
    internal void Left()
    {
        Volatile.Write(ref someLeft, 1);
        Pulse(mayRun: false);
    }

    /// <summary>A batch threw, and so many callers are going to be told; that it was aborted is no failure of its code.</summary>
    internal void Tell(Exception thrown, int callers)
    {
        if (callers > 0 && !(IsAborted && thrown is OperationCanceledException))
            failed?.Invoke(thrown, callers);
    }

    private async Task FinishAsync(Batch<TItem, TResult> batch, ValueTask pending)
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

    private void Finish(Batch<TItem, TResult> batch, ValueTask completed)
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

    private void Fail(Batch<TItem, TResult> batch, Exception thrown)
    {
        Tell(thrown, batch.Unended);
        batch.Fail(thrown);
    }

    private void End(Batch<TItem, TResult> batch)
    {
        batch.Ended = Now;
        batch.AtEnd?.Invoke();
        var head = Volatile.Read(ref ended);
        while (true)
        {
            batch.Next = head;
            var seen = Interlocked.CompareExchange(ref ended, batch, head);
            if (ReferenceEquals(seen, head))
                break;
            head = seen;
        }

        Pulse(mayRun: false);
        batch.FailUnended();
        if (batch.Count > 0)
        {
            observer?.OnEnded(
                batch.Count, batch.Size / (double)batch.MaxBatchSize, time.GetElapsedTime(batch.Arrived, batch.Started), time.GetElapsedTime(batch.Started, batch.Ended));
        }
    }

    private void OnTimer()
    {
        Volatile.Write(ref timerFired, 1);
        Pulse(mayRun: false);
    }

    private void OnGateClosed() => Pulse(mayRun: false);

    /// <summary>Has somebody decide: this thread, unless another is at it, who then looks again.</summary>
    /// <param name="mayRun">Whether this thread is a caller's, which may run a short batch itself.</param>
    private void Pulse(bool mayRun)
    {
        if (Interlocked.Increment(ref pulses) != 1)
            return;
        Batch<TItem, TResult>? first = null;
        Batch<TItem, TResult>? last = null;
        int seen;
        do
        {
            seen = Volatile.Read(ref pulses);
            Decide(ref first, ref last);
        }
        while (Interlocked.Add(ref pulses, -seen) != 0);

        var here = mayRun && (runsElsewhere || Volatile.Read(ref quick)) ? first : null;
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

    private void Decide(ref Batch<TItem, TResult>? first, ref Batch<TItem, TResult>? last)
    {
        var current = Settings;
        TakePosted();
        most = Math.Max(most, waiting + taken);
        TakeEnded();
        if (Volatile.Read(ref someLeft) != 0 && Interlocked.Exchange(ref someLeft, 0) != 0)
            Sweep();
        if (Volatile.Read(ref timerFired) != 0 && Interlocked.Exchange(ref timerFired, 0) != 0)
            armed = long.MaxValue;
        if (IsAborted)
            Abort();
        while (waiting > 0 && running.Count < current.MaxConcurrentBatches && NextReady(current) is { } group)
        {
            var batch = Form(group, current);
            if (first is null)
                first = batch;
            else
                last!.Next = batch;
            last = batch;
        }
    }

    private Batch<TItem, TResult> Form(BatchGroup<TItem, TResult> group, BatchSettings current)
    {
        var items = group.Take(current.MaxBatchSize);
        waiting -= items.Length;
        taken += items.Length;
        if (group.Count == 0)
            Forget(group);
        window.OnStarted(most);
        most = waiting + taken;
        var batch = new Batch<TItem, TResult>(this, items, current.MaxBatchSize);
        running.Add(batch);
        return batch;
    }

    /// <summary>Of the groups that may start, the one whose first item came first. If there is none, the timer is set for the one that may start first.</summary>
    private BatchGroup<TItem, TResult>? NextReady(BatchSettings current)
    {
        BatchGroup<TItem, TResult>? ready = null;
        var now = Now;
        var due = long.MaxValue;
        var nobodyElse = gate is not null && (gate.IsClosed || waiting + taken >= gate.Limit);
        foreach (var group in groups)
        {
            var startBy = nobodyElse || group.Size >= current.MaxBatchSize ? now : StartBy(group, current, now);
            if (startBy > now)
                due = Math.Min(due, startBy);
            else if (ready is null || group.First!.Arrived < ready.First!.Arrived)
                ready = group;
        }

        if (ready is null)
            Arm(due, now);
        return ready;
    }

    private long StartBy(BatchGroup<TItem, TResult> group, BatchSettings current, long now)
    {
        var latest = group.First!.Arrived + ToTicks(current.WaitTimeout);
        return current.Adaptive && latest > now ? Math.Min(latest, window.StartBy(group.Count, group.Size, now)) : latest;
    }

    // Whole milliseconds, rounded up: a timer knows no others, and one that came early would come again at once.
    private void Arm(long due, long now)
    {
        if (due >= armed)
            return;
        armed = due;
        timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling((due - now) / (double)ticksPerMillisecond)), Timeout.InfiniteTimeSpan);
    }

    private void TakePosted()
    {
        var list = Interlocked.Exchange(ref posted, null);
        BatchItem<TItem, TResult>? inOrder = null;
        while (list is not null)
            (list.Next, inOrder, list) = (inOrder, list, list.Next);
        var count = waiting;
        while (inOrder is { } item)
        {
            inOrder = item.Next;
            item.Next = null;
            if (item.HasEnded)
                continue;
            window.OnArrived(item.Arrived);
            GroupOf(item.Model).Add(item);
            count++;
        }

        Volatile.Write(ref waiting, count);
    }

    private void TakeEnded()
    {
        for (var batch = Interlocked.Exchange(ref ended, null); batch is not null;)
        {
            var next = batch.Next;
            batch.Next = null;
            running.Remove(batch);
            taken -= batch.Formed;
            if (batch.Count > 0)
                window.OnEnded(batch.Size, batch.Ended - batch.Started, batch.Ended);
            batch = next;
        }
    }

    private void Sweep()
    {
        var left = 0;
        for (var i = groups.Count - 1; i >= 0; i--)
        {
            var group = groups[i];
            group.Sweep();
            left += group.Count;
            if (group.Count == 0)
                Forget(group);
        }

        Volatile.Write(ref waiting, left);
    }

    private void Abort()
    {
        foreach (var group in groups)
        {
            for (var item = group.First; item is not null; item = item.Next)
                item.TrySetException(new OperationCanceledException(aborted));
        }

        Sweep();
        foreach (var batch in running)
            batch.Cancel();
    }

    private BatchGroup<TItem, TResult> GroupOf(string? model)
    {
        BatchGroup<TItem, TResult>? group;
        if (model is null)
            group = unnamed;
        else if (!named.TryGetValue(model, out group))
            named[model] = group = new(model);
        if (group.Count == 0)
            groups.Add(group);
        return group;
    }

    private void Forget(BatchGroup<TItem, TResult> group)
    {
        groups.Remove(group);
        if (group.Model is { } model)
            named.Remove(model);
    }

    private long ToTicks(TimeSpan span) => (long)(span.TotalMilliseconds * ticksPerMillisecond);
}
