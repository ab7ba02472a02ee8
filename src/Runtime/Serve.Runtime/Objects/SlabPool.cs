namespace Serve.Runtime.Objects;

/// <summary>
/// The slabs of one object store: those in use and those that wait to be used again. What waits and what is in use are together no more than was in
/// use at the most lately, and than the store may have; so what nobody puts any more goes back to the system. Its state is written under its lock.
/// </summary>
internal sealed class SlabPool : IDisposable
{
    /// <summary>"Lately" is this period and the one before.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    // Each is a mapping, of which the kernel lets a process have 65,530.
    private const int Most = 1024;

    // To ask the kernel takes some microseconds each.
    private const int MostAsked = 16;

    private readonly Lock sync = new();
    private readonly HashSet<Slab> taken = [];
    private readonly LinkedList<Slab> idle = [];
    private readonly TimeProvider time;
    private readonly long limit;
    private ITimer? timer;
    private bool isTimed;
    private long idleBytes;
    private long used;
    private long peak;
    private long peakBefore;
    private bool disposed;

    /// <param name="limit">Bytes that the store may have.</param>
    /// <param name="time">Tells when a period is over.</param>
    public SlabPool(long limit, TimeProvider time)
    {
        this.limit = limit;
        this.time = time;
    }

    /// <summary>Bytes of memory that nothing is in.</summary>
    public long IdleBytes
    {
        get
        {
            lock (sync)
                return idleBytes;
        }
    }

    /// <summary>The store says how many bytes are in use now.</summary>
    public void SetUsed(long bytes)
    {
        lock (sync)
        {
            used = bytes;
            peak = Math.Max(peak, bytes);
        }
    }

    /// <summary>A slab whose pages are there.</summary>
    /// <param name="offset">Where in it the segment will begin.</param>
    /// <param name="length">The segment's bytes.</param>
    /// <returns>Null when none is free whose size suits.</returns>
    public Slab? TryTake(long offset, long length)
    {
        lock (sync)
        {
            var asked = 0;
            for (var node = idle.Last; node is not null && asked < MostAsked; node = node.Previous)
            {
                var slab = node.Value;
                if (!Suits(slab, offset, length))
                    continue;
                asked++;
                if (!slab.IsUnread())
                    continue;
                idle.Remove(node);
                idleBytes -= slab.Resident;
                taken.Add(slab);
                return slab;
            }
        }

        return null;
    }

    /// <summary>A new slab.</summary>
    /// <param name="offset">Where in it the segment will begin.</param>
    /// <param name="length">The segment's bytes.</param>
    /// <returns>Null when it has to do without.</returns>
    /// <exception cref="IOException">There is no memory for it.</exception>
    public Slab? TryMake(long offset, long length)
    {
        lock (sync)
        {
            if (disposed || taken.Count + idle.Count >= Most)
                return null;
        }

        var made = Slab.TryCreate(this, Segment.NextName(), CapacityFor(offset + length));
        if (made is not null)
        {
            // Known here from its making to its end: one that the collector found together with its object could not be used again.
            lock (sync)
                taken.Add(made);
        }

        return made;
    }

    /// <summary>Nothing is in a slab any more.</summary>
    public void Return(Slab slab)
    {
        slab.EndUse();
        lock (sync)
        {
            if (!taken.Remove(slab))
                return;
            idle.AddLast(slab);
            idleBytes += slab.Resident;
            SetTimer();
        }

        Trim();
    }

    /// <summary>Gives a slab up that was taken.</summary>
    public void Discard(Slab slab)
    {
        lock (sync)
            taken.Remove(slab);
        slab.Dispose();
    }

    /// <summary>Gives up what waits beyond what may, longest first.</summary>
    public void Trim() => GiveUp(all: false);

    /// <summary>Gives up all that waits.</summary>
    /// <returns>The bytes that were given up.</returns>
    public long Clear() => GiveUp(all: true);

    /// <summary>Gives up what waits, and from now on each that comes back.</summary>
    public void Dispose()
    {
        lock (sync)
        {
            disposed = true;
            timer?.Dispose();
        }

        Clear();
    }

    private long GiveUp(bool all)
    {
        long given = 0;
        while (true)
        {
            Slab slab;
            lock (sync)
            {
                var most = all || disposed ? 0 : Math.Min(limit, Math.Max(peak, peakBefore)) - used;
                if (idleBytes <= most || idle.First is not { } oldest)
                    return given;
                slab = oldest.Value;
                idle.Remove(oldest);
                idleBytes -= slab.Resident;
            }

            // Not under the lock: the kernel takes a while to free many pages.
            given += slab.Resident;
            slab.Dispose();
        }
    }

    private void OnPeriodEnded()
    {
        lock (sync)
        {
            peakBefore = peak;
            peak = used;
        }

        Trim();
        lock (sync)
            SetTimer();
    }

    // Under the lock. It runs while there is something to give up.
    private void SetTimer()
    {
        var isNeeded = idle.Count > 0;
        if (isNeeded == isTimed || disposed)
            return;
        isTimed = isNeeded;
        timer ??= time.CreateTimer(static state => ((SlabPool)state!).OnPeriodEnded(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(isNeeded ? Period : Timeout.InfiniteTimeSpan, isNeeded ? Period : Timeout.InfiniteTimeSpan);
    }

    // A larger one would waste what lies behind the end.
    private static bool Suits(Slab slab, long offset, long length) => offset + length <= slab.Capacity && slab.Resident - length <= length / 8;

    // In steps of an eighth of a power of two, so that arrays of about one size fit one another's: what is not written takes no memory.
    private static long CapacityFor(long end)
    {
        var step = Math.Max(1L << (60 - (int)long.LeadingZeroCount(end)), Segment.PageSize);
        return (end + step - 1) & -step;
    }
}
