using System.Globalization;

namespace Serve.Routing;

/// <summary>
/// Requests that wait for a replica, first come first served: what every policy shares. A waiter leaves when it is given a replica, when
/// waiting has become useless, or when it is cancelled; whoever takes it off the list, under the lock, decides which.
/// </summary>
internal sealed class AdmissionQueue : IDisposable
{
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly LinkedList<Waiter> waiters = new();
    private readonly IAdmission admission;
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private int waiting;
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
    /// <param name="readmitted">Whether it had been admitted before and was refused: it goes to the front and is not counted against the limit.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The replica, entered.</returns>
    public async ValueTask<ReplicaSlot> EnterAsync(bool readmitted, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!TryPass(readmitted, out var slot, out var waiter))
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
        {
            while (waiters.First is { } first)
            {
                var pick = admission.Pick();
                if (pick.Slot is null && pick.Failure is null)
                {
                    WakeAtNextChance();
                    return;
                }

                Leave(first);
                granted++;
                if (pick.Slot is { } slot)
                    first.Value.SetResult(slot);
                else
                    first.Value.SetException(pick.Failure!());
            }
        }
    }

    public void Dispose() => timer.Dispose();

    private bool TryPass(bool readmitted, out ReplicaSlot? slot, out Waiter? waiter)
    {
        slot = null;
        waiter = null;
        lock (gate)
        {
            // Announced before looking: whoever returns a lease after this look sees the count and pumps.
            Interlocked.Increment(ref waiting);
            if (readmitted || waiters.Count == 0)
            {
                var pick = admission.Pick();
                if (pick.Slot is not null || pick.Failure is not null)
                {
                    Interlocked.Decrement(ref waiting);
                    slot = pick.Slot;
                    return pick.Failure is null ? true : throw pick.Failure();
                }
            }

            if (!readmitted && admission.MaxQueued >= 0 && waiters.Count >= admission.MaxQueued)
            {
                Interlocked.Decrement(ref waiting);
                return false;
            }

            if (waiters.Count == 0)
                (busySince, granted) = (time.GetTimestamp(), 0);
            waiter = new Waiter(this);
            waiter.Node = readmitted ? waiters.AddFirst(waiter) : waiters.AddLast(waiter);
            WakeAtNextChance();
            return true;
        }
    }

    private void Leave(LinkedListNode<Waiter> node)
    {
        waiters.Remove(node);
        node.Value.Node = null;
        Interlocked.Decrement(ref waiting);
    }

    private void WakeAtNextChance()
    {
        if (admission.NextChance() is { } wait)
            timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private OverloadedException Overloaded()
    {
        TimeSpan wait;
        int length;
        lock (gate)
        {
            // As long as the present queue needs at its present pace.
            length = waiters.Count;
            wait = granted == 0 ? ShortestRetry : time.GetElapsedTime(busySince) * ((double)length / granted);
        }

        wait = TimeSpan.FromTicks(Math.Clamp(wait.Ticks, ShortestRetry.Ticks, LongestRetry.Ticks));
        return new OverloadedException(
            string.Create(CultureInfo.InvariantCulture, $"{admission.Description}; {length} requests are queued, the most it queues (max_queued_requests)."), wait);
    }

    private sealed class Waiter(AdmissionQueue queue) : TaskCompletionSource<ReplicaSlot>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public LinkedListNode<Waiter>? Node { get; set; }

        public void Cancel(CancellationToken cancellationToken)
        {
            lock (queue.gate)
            {
                if (Node is not { } node)
                    return;
                queue.Leave(node);
                SetCanceled(cancellationToken);
            }
        }
    }
}
