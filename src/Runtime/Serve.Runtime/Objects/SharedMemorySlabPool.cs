namespace Serve.Runtime.Objects;

/// <summary>
/// The slabs of one object store: those in use and those that wait to be used again. What waits and what is in use are together no more than was in
/// use at the most lately, and than the store may have; so what nobody puts any more goes back to the system. Its state is written under its lock.
/// </summary>
internal sealed class SharedMemorySlabPool : IDisposable
{
    /// <summary>"Lately" is this period and the one before.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    // Each is a mapping, of which the kernel lets a process have 65,530.
    private const int Most = 1024;

    // To ask the kernel takes some microseconds each.
    private const int MostAsked = 16;

    private readonly Lock _sync = new();
    private readonly HashSet<SharedMemorySlab> _taken = [];
    private readonly LinkedList<SharedMemorySlab> _idle = [];
    private readonly TimeProvider _time;
    private readonly long _limit;
    private ITimer? _timer;
    private bool _isTimed;
    private long _idleBytes;
    private long _used;
    private long _peak;
    private long _peakBefore;
    private bool _disposed;

    /// <param name="limit">Bytes that the store may have.</param>
    /// <param name="time">Tells when a period is over.</param>
    public SharedMemorySlabPool(long limit, TimeProvider time)
    {
        this._limit = limit;
        this._time = time;
    }

    /// <summary>Bytes of memory that nothing is in.</summary>
    public long IdleBytes
    {
        get
        {
            lock (_sync)
                return _idleBytes;
        }
    }

    /// <summary>The store says how many bytes are in use now.</summary>
    public void SetUsed(long bytes)
    {
        lock (_sync)
        {
            _used = bytes;
            _peak = Math.Max(_peak, bytes);
        }
    }

    /// <summary>A slab whose pages are there.</summary>
    /// <param name="offset">Where in it the segment will begin.</param>
    /// <param name="length">The segment's bytes.</param>
    /// <returns>Null when none is free whose size suits.</returns>
    public SharedMemorySlab? TryRent(long offset, long length)
    {
        lock (_sync)
        {
            var asked = 0;
            for (var node = _idle.Last; node is not null && asked < MostAsked; node = node.Previous)
            {
                var slab = node.Value;
                if (!CanHold(slab, offset, length))
                    continue;
                asked++;
                if (!slab.HasNoReaders())
                    continue;
                _idle.Remove(node);
                _idleBytes -= slab.ResidentBytes;
                _taken.Add(slab);
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
    public SharedMemorySlab? TryCreate(long offset, long length)
    {
        lock (_sync)
        {
            if (_disposed || _taken.Count + _idle.Count >= Most)
                return null;
        }

        var made = SharedMemorySlab.TryCreate(this, SharedMemorySegment.NextName(), CapacityFor(offset + length));
        if (made is not null)
        {
            // Known here from its making to its end: one that the collector found together with its object could not be used again.
            lock (_sync)
                _taken.Add(made);
        }

        return made;
    }

    /// <summary>Nothing is in a slab any more.</summary>
    public void Return(SharedMemorySlab slab)
    {
        slab.EndUse();
        lock (_sync)
        {
            if (!_taken.Remove(slab))
                return;
            _idle.AddLast(slab);
            _idleBytes += slab.ResidentBytes;
            SetTimer();
        }

        Trim();
    }

    /// <summary>Gives a slab up that was taken.</summary>
    public void Discard(SharedMemorySlab slab)
    {
        lock (_sync)
            _taken.Remove(slab);
        slab.Dispose();
    }

    /// <summary>Gives up what waits beyond what may, longest first.</summary>
    public void Trim() => ReleaseIdle(all: false);

    /// <summary>Gives up all that waits.</summary>
    /// <returns>The bytes that were given up.</returns>
    public long Clear() => ReleaseIdle(all: true);

    /// <summary>Gives up what waits, and from now on each that comes back.</summary>
    public void Dispose()
    {
        lock (_sync)
        {
            _disposed = true;
            _timer?.Dispose();
        }

        Clear();
    }

    private long ReleaseIdle(bool all)
    {
        long given = 0;
        while (true)
        {
            SharedMemorySlab slab;
            lock (_sync)
            {
                var most = all || _disposed ? 0 : Math.Min(_limit, Math.Max(_peak, _peakBefore)) - _used;
                if (_idleBytes <= most || _idle.First is not { } oldest)
                    return given;
                slab = oldest.Value;
                _idle.Remove(oldest);
                _idleBytes -= slab.ResidentBytes;
            }

            // Not under the lock: the kernel takes a while to free many pages.
            given += slab.ResidentBytes;
            slab.Dispose();
        }
    }

    private void OnPeriodEnded()
    {
        lock (_sync)
        {
            _peakBefore = _peak;
            _peak = _used;
        }

        Trim();
        lock (_sync)
            SetTimer();
    }

    // Under the lock. It runs while there is something to give up.
    private void SetTimer()
    {
        var isNeeded = _idle.Count > 0;
        if (isNeeded == _isTimed || _disposed)
            return;
        _isTimed = isNeeded;
        _timer ??= _time.CreateTimer(static state => ((SharedMemorySlabPool)state!).OnPeriodEnded(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(isNeeded ? Period : Timeout.InfiniteTimeSpan, isNeeded ? Period : Timeout.InfiniteTimeSpan);
    }

    // A larger one would waste what lies behind the end.
    private static bool CanHold(SharedMemorySlab slab, long offset, long length) => offset + length <= slab.Capacity && slab.ResidentBytes - length <= length / 8;

    // In steps of an eighth of a power of two, so that arrays of about one size fit one another's: what is not written takes no memory.
    private static long CapacityFor(long end)
    {
        var step = Math.Max(1L << (60 - (int)long.LeadingZeroCount(end)), SharedMemorySegment.PageSize);
        return (end + step - 1) & -step;
    }
}
