namespace Serve.Runtime.Objects;

/// <summary>
/// Pool of an object store's slabs, in use and idle. Their total size is limited to the recent maximum in use and to the store's limit, so that memory that is
/// no longer needed returns to the system. Its state is written under its lock.
/// </summary>
internal sealed class SharedMemorySlabPool : IDisposable
{
    /// <summary>Length of a period; the recent maximum covers the current and the previous one.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    // Each slab is one of the 65,530 mappings that the kernel allows per process.
    private const int Most = 1024;

    // Asking the kernel whether a slab has readers takes a few microseconds each.
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

    /// <summary>Creates a pool.</summary>
    /// <param name="limit">Limit of the store in bytes.</param>
    /// <param name="time">Clock of the periods.</param>
    public SharedMemorySlabPool(long limit, TimeProvider time)
    {
        _limit = limit;
        _time = time;
    }

    /// <summary>Bytes of memory in idle slabs.</summary>
    public long IdleBytes
    {
        get
        {
            lock (_sync)
                return _idleBytes;
        }
    }

    /// <summary>Sets the number of bytes in use by the store.</summary>
    public void SetUsed(long bytes)
    {
        lock (_sync)
        {
            _used = bytes;
            _peak = Math.Max(_peak, bytes);
        }
    }

    /// <summary>Rents a slab whose pages are already allocated.</summary>
    /// <param name="offset">Offset at which the segment begins.</param>
    /// <param name="length">Length of the segment.</param>
    /// <returns>Null if no idle slab of a suitable size is available.</returns>
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

    /// <summary>Creates a new slab.</summary>
    /// <param name="offset">Offset at which the segment begins.</param>
    /// <param name="length">Length of the segment.</param>
    /// <returns>Null if the segment needs memory of its own.</returns>
    /// <exception cref="IOException">Not enough memory is available.</exception>
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
            // Referenced here from creation to disposal: a slab that is collected together with its object could not be reused.
            lock (_sync)
                _taken.Add(made);
        }

        return made;
    }

    /// <summary>Returns a slab that holds no segment any more.</summary>
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

    /// <summary>Releases a rented slab.</summary>
    public void Discard(SharedMemorySlab slab)
    {
        lock (_sync)
            _taken.Remove(slab);
        slab.Dispose();
    }

    /// <summary>Releases idle slabs above the limit, longest idle first.</summary>
    public void Trim() => ReleaseIdle(all: false);

    /// <summary>Releases all idle slabs.</summary>
    /// <returns>Number of bytes released.</returns>
    public long Clear() => ReleaseIdle(all: true);

    /// <summary>Releases idle slabs, and from now on each slab that is returned.</summary>
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

            // Outside of the lock: freeing many pages takes the kernel a while.
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

    // Called under the lock. The timer runs while idle slabs remain.
    private void SetTimer()
    {
        var isNeeded = _idle.Count > 0;
        if (isNeeded == _isTimed || _disposed)
            return;
        _isTimed = isNeeded;
        _timer ??= _time.CreateTimer(static state => ((SharedMemorySlabPool)state!).OnPeriodEnded(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(isNeeded ? Period : Timeout.InfiniteTimeSpan, isNeeded ? Period : Timeout.InfiniteTimeSpan);
    }

    // A larger slab would waste the memory behind the end of the segment.
    private static bool CanHold(SharedMemorySlab slab, long offset, long length) => offset + length <= slab.Capacity && slab.ResidentBytes - length <= length / 8;

    // Rounded up in steps of an eighth of a power of two, so that arrays of similar sizes can reuse each other's slabs. Unwritten pages take no memory.
    private static long CapacityFor(long end)
    {
        var step = Math.Max(1L << (60 - (int)long.LeadingZeroCount(end)), SharedMemorySegment.PageSize);
        return (end + step - 1) & -step;
    }
}
