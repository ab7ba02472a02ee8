using System.Globalization;

namespace Serve.Routing;

/// <summary>
/// Requests that wait for a replica, first come first served: what every policy shares. Those that ask for a multiplexed model have a line for each
/// model, so that one that waits for the replica that has its model keeps nobody from another; among the first of all lines who came first is first. A
/// waiter leaves when it is given a replica, when waiting has become useless, or when it is cancelled; whoever takes it off its line, under the
/// lock, decides which.
/// </summary>
internal sealed class AdmissionQueue : IDisposable
{
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> plain = new();
    private readonly Dictionary<string, LinkedList<Waiter>> byModel = new(StringComparer.Ordinal);
    private readonly IAdmission admission;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private int waiting;
    private int lined;
    private long firstOrder;
    private long lastOrder;
    private long busySince;
    private long granted;

    public AdmissionQueue(IAdmission admission, TimeProvider time)
    {
        this.admission = admission;
        this.time = time;
        timer = time.CreateTimer(static state => ((AdmissionQueue)state!).Pump(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>How many wait. A newcomer that sees 0 may pick for itself; otherwise it goes behind them.</summary>
    public int Waiting => Volatile.Read(ref waiting);

    /// <summary>Waits for a replica.</summary>
    /// <param name="model">The multiplexed model asked for; null for none.</param>
    /// <param name="readmitted">Whether it had been admitted before and was refused: it goes to the front and is not counted against the limit.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The replica, entered.</returns>
    public async ValueTask<ReplicaSlot> EnterAsync(string? model, bool readmitted, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!TryPass(model, readmitted, out var slot, out var waiter))
            throw Overloaded();
        if (waiter is null)
            return slot!;

        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((Waiter)state!).Cancel(token), waiter);
        return await waiter.Task;
    }

    /// <summary>Gives replicas to waiters as long as there are both.</summary>
    public void Pump()
    {
        lock (gate)
            PumpLines();
    }

    public void Dispose() => timer.Dispose();

    private bool TryPass(string? model, bool readmitted, out ReplicaSlot? slot, out Waiter? waiter)
    {
        slot = null;
        waiter = null;
        lock (gate)
        {
            // Announced before looking: whoever returns a lease after this look sees the count and pumps.
            Interlocked.Increment(ref waiting);
            if (readmitted || lined == 0)
            {
                var pick = admission.Pick(model, patient: true);
                if (pick.Slot is not null || pick.Failure is not null)
                {
                    Interlocked.Decrement(ref waiting);
                    slot = pick.Slot;
                    return pick.Failure is null ? true : throw pick.Failure();
                }
            }

            // With one line alone, its first has just found no room. With several, they may wait for replicas that this one does not need.
            var isFull = !readmitted && admission.MaxQueued >= 0 && lined >= admission.MaxQueued;
            var mayPass = lined > 0 && byModel.Count > 0;
            if (isFull && !mayPass)
            {
                Interlocked.Decrement(ref waiting);
                return false;
            }

            if (lined == 0)
                (busySince, granted) = (time.GetTimestamp(), 0);
            waiter = Line(model, readmitted);
            if (mayPass)
                PumpLines();
            else
                WakeAtNextChance();
            if (!isFull || waiter.Node is null)
                return true;
            Leave(waiter);
            waiter = null;
            return false;
        }
    }

    private Waiter Line(string? model, bool atFront)
    {
        var line = plain;
        var deadline = 0L;
        if (model is not null)
        {
            deadline = time.GetTimestamp() + (long)(admission.Patience.TotalSeconds * time.TimestampFrequency);
            if (!byModel.TryGetValue(model, out line))
                byModel[model] = line = new LinkedList<Waiter>();
        }

        var waiter = new Waiter(this, model, atFront ? --firstOrder : ++lastOrder, deadline);
        waiter.Node = atFront ? line.AddFirst(waiter) : line.AddLast(waiter);
        lined++;
        return waiter;
    }

    private void Leave(Waiter waiter)
    {
        var line = waiter.Node!.List!;
        line.Remove(waiter.Node);
        waiter.Node = null;
        if (line.Count == 0 && waiter.Model is { } model)
            byModel.Remove(model);
        lined--;
        Interlocked.Decrement(ref waiting);
    }

    private void PumpLines()
    {
        while (lined > 0)
        {
            if (TryServe())
                continue;
            WakeAtNextChance();
            return;
        }
    }

    private bool TryServe()
    {
        if (byModel.Count == 0)
            return TryServe(plain.First!.Value);
        var heads = byModel.Values.Select(line => line.First!.Value).ToList();
        if (plain.First is { Value: var first })
            heads.Add(first);
        heads.Sort(static (one, other) => one.Order.CompareTo(other.Order));
        foreach (var head in heads)
        {
            if (TryServe(head))
                return true;
        }

        return false;
    }

    private bool TryServe(Waiter head)
    {
        var pick = admission.Pick(head.Model, patient: head.Deadline > time.GetTimestamp());
        if (pick.Slot is null && pick.Failure is null)
            return false;
        Leave(head);
        granted++;
        if (pick.Slot is { } slot)
            head.SetResult(slot);
        else
            head.SetException(pick.Failure!());
        return true;
    }

    private void WakeAtNextChance()
    {
        var wait = admission.NextChance();
        if (byModel.Count > 0)
        {
            var now = time.GetTimestamp();
            foreach (var line in byModel.Values)
            {
                if (line.First!.Value.Deadline is var deadline && deadline <= now)
                    continue;
                // A timer that is early would find the waiter patient still.
                var left = time.GetElapsedTime(now, deadline) + TimeSpan.FromMilliseconds(1);
                wait = wait is null || left < wait ? left : wait;
            }
        }

        if (wait is { } until)
            timer.Change(until, Timeout.InfiniteTimeSpan);
    }

    private OverloadedException Overloaded()
    {
        TimeSpan wait;
        int length;
        lock (gate)
        {
            // As long as the present queue needs at its present pace.
            length = lined;
            wait = granted == 0 ? ShortestRetry : time.GetElapsedTime(busySince) * ((double)length / granted);
        }

        wait = TimeSpan.FromTicks(Math.Clamp(wait.Ticks, ShortestRetry.Ticks, LongestRetry.Ticks));
        return new OverloadedException(
            string.Create(CultureInfo.InvariantCulture, $"{admission.Description}; {length} requests are queued, the most it queues (max_queued_requests)."), wait);
    }

    private sealed class Waiter(AdmissionQueue queue, string? model, long order, long deadline)
        : TaskCompletionSource<ReplicaSlot>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public string? Model => model;

        /// <summary>Who came first has the lower one.</summary>
        public long Order => order;

        /// <summary>Until when it rather waits for a replica that has its model.</summary>
        public long Deadline => deadline;

        public LinkedListNode<Waiter>? Node { get; set; }

        public void Cancel(CancellationToken cancellationToken)
        {
            lock (queue.gate)
            {
                if (Node is null)
                    return;
                queue.Leave(this);
                SetCanceled(cancellationToken);
            }
        }
    }
}
