using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>
/// What a node, or a bundle of a placement group, has and who holds what of it, exact to 0.0001. Fractions of a GPU share the fullest
/// device they fit on; whole GPUs are exclusive. Its state is written under its lock by its own methods alone.
/// </summary>
internal sealed class ResourceLedger
{
    private readonly Lock _sync = new();
    private readonly ResourceDemand _total;
    private readonly long[] _reserved;
    private int[] _devices = [];
    private long[] _freeOnDevice = [];
    private ResourceDemand? _claim;
    private long _lastingCpu;
    private string? _closedBecause;
    private bool _isClosedForGood;

    public ResourceLedger(ResourceDemand total)
    {
        this._total = total;
        _reserved = new long[total.Count];
        if ((int)(total.UnitsOf(ResourceDemand.Gpu) / ResourceDemand.UnitsPerOne) is > 0 and var gpus)
            Equip(gpus);
    }

    private ResourceLedger(ResourceDemand total, string closedBecause)
    {
        this._total = total;
        _reserved = new long[total.Count];
        this._closedBecause = closedBecause;
    }

    public ResourceDemand Total => _total;

    public ResourceLedgerSnapshot Snapshot
    {
        get
        {
            lock (_sync)
                return new(_total, new() { Units = Enumerable.Range(0, _reserved.Length).Where(index => _reserved[index] > 0).ToImmutableSortedDictionary(_total.NameAt, index => _reserved[index], StringComparer.Ordinal) });
        }
    }

    /// <summary>Told, outside the lock, that something was released or that it opened or closed: who waits may try again.</summary>
    public event Action? Released;

    /// <summary>A ledger that gives nothing until it is opened.</summary>
    /// <param name="total">What it will have.</param>
    /// <param name="because">Why not yet, for who asks.</param>
    public static ResourceLedger Closed(ResourceDemand total, string because) => new(total, because);

    /// <summary>Gives from now on, out of what was reserved elsewhere.</summary>
    public void Open(ResourceAllocation held)
    {
        lock (_sync)
        {
            if (_isClosedForGood)
                return;
            Equip(held.GpuIds, PerDevice(held.Demand));
            _closedBecause = null;
        }

        Released?.Invoke();
    }

    /// <summary>Gives nothing any more; what is held is still to be released. Who waits is told.</summary>
    public void Close(string because)
    {
        lock (_sync)
        {
            _closedBecause = because;
            _isClosedForGood = true;
        }

        Released?.Invoke();
    }

    /// <summary>Has someone told of what is released, who misses nothing by asking again and keeps the place.</summary>
    /// <param name="told">Whom.</param>
    /// <param name="isFirst">Whether before those who are told already.</param>
    public void Tell(Action told, bool isFirst = false)
    {
        Action? seen;
        do
        {
            seen = Released;
            if (!ReferenceEquals(Delegate.Remove(seen, told), seen))
                return;
        }
        while (Interlocked.CompareExchange(ref Released, isFirst ? told + seen : seen + told, seen) != seen);
    }

    /// <summary>The units of a resource that are free now.</summary>
    public long Free(string resource)
    {
        lock (_sync)
            return _closedBecause is null ? Unreserved(resource) : 0;
    }

    /// <summary>Keeps what is free of these resources, or comes free, for who claims them: <see cref="TryReserve"/> gives none of them to others until the claim is dropped (null).</summary>
    public void Claim(ResourceDemand? wanted)
    {
        lock (_sync)
            _claim = wanted;
        if (wanted is null)
            Released?.Invoke();
    }

    /// <summary>Reserves for who has claimed, and keeps it for long.</summary>
    public bool TryReserveClaimed(ResourceDemand demand, out ResourceAllocation? allocation)
    {
        lock (_sync)
            allocation = Fits(demand, out var fitting) ? Take(demand, fitting, isLasting: true) : null;
        return allocation is not null;
    }

    /// <summary>Whether tasks can have so much of the CPUs before any of those end who have reserved some for long.</summary>
    public bool LeavesForTasks(ResourceDemand cpus)
    {
        lock (_sync)
            return _total.UnitsOf(ResourceDemand.Cpu) - _lastingCpu >= cpus.UnitsOf(ResourceDemand.Cpu);
    }

    /// <summary>Whether it could give so much if nothing else were reserved.</summary>
    public bool CanEverReserve(ResourceDemand demand) => Never(demand) is null;

    /// <summary>Reserves when enough is free now.</summary>
    /// <param name="demand">What.</param>
    /// <param name="allocation">It, when it is reserved.</param>
    /// <param name="isLasting">Whether it is kept for long: for an actor's life rather than for a task.</param>
    /// <exception cref="InsufficientResourcesException">There can never be enough.</exception>
    public bool TryReserve(ResourceDemand demand, out ResourceAllocation? allocation, bool isLasting = false)
    {
        lock (_sync)
            allocation = !IsClaimed(demand) && Fits(demand, out var fitting) ? Take(demand, fitting, isLasting) : null;
        if (allocation is not null)
            return true;
        if (Never(demand) is { } why)
            throw new InsufficientResourcesException(why, isPermanent: true);
        return false;
    }

    /// <summary>Reserves for long, now or not at all.</summary>
    /// <exception cref="InsufficientResourcesException">Not enough is free, or there can never be.</exception>
    public ResourceAllocation Reserve(ResourceDemand demand)
    {
        lock (_sync)
        {
            return Fits(demand, out var fitting)
                ? Take(demand, fitting, isLasting: true)
                : throw (Never(demand) is { } why
                    ? new InsufficientResourcesException(why, isPermanent: true)
                    : new InsufficientResourcesException(NotNow(demand), isPermanent: false));
        }
    }

    public void Release(ResourceAllocation allocation)
    {
        lock (_sync)
        {
            var demand = allocation.Demand;
            for (var index = 0; index < demand.Count; index++)
                _reserved[_total.IndexOf(demand.NameAt(index))] -= demand.UnitsAt(index);
            if (allocation.IsLasting)
                _lastingCpu -= demand.UnitsOf(ResourceDemand.Cpu);
            if (allocation.GpuIds.Length > 0)
                AddFree(allocation.GpuIds, PerDevice(demand));
        }

        Released?.Invoke();
    }

    private static long PerDevice(ResourceDemand demand) => Math.Min(demand.UnitsOf(ResourceDemand.Gpu), ResourceDemand.UnitsPerOne);

    private static string Amount(string resource, long units) => $"{(decimal)units / ResourceDemand.UnitsPerOne} {resource}";

    private void Equip(int gpus) => Equip(Enumerable.Range(0, gpus), ResourceDemand.UnitsPerOne);

    private void Equip(IEnumerable<int> ids, long each)
    {
        _devices = [.. ids];
        _freeOnDevice = new long[_devices.Length];
        Array.Fill(_freeOnDevice, each);
    }

    private bool IsClaimed(ResourceDemand demand)
    {
        for (var index = 0; _claim is not null && index < _claim.Count; index++)
        {
            if (demand.UnitsOf(_claim.NameAt(index)) != 0)
                return true;
        }

        return false;
    }

    private long Unreserved(string resource) => _total.IndexOf(resource) is >= 0 and var index ? _total.UnitsAt(index) - _reserved[index] : 0;

    private void AddFree(int[] ids, long each)
    {
        foreach (var device in ids)
            _freeOnDevice[Array.IndexOf(_devices, device)] += each;
    }

    private bool Fits(ResourceDemand demand, out int[] fitting)
    {
        fitting = [];
        if (_closedBecause is not null)
            return false;
        for (var index = 0; index < demand.Count; index++)
        {
            if (demand.UnitsAt(index) > Unreserved(demand.NameAt(index)))
                return false;
        }

        var each = PerDevice(demand);
        return each == 0 || FitsDevices(demand.UnitsOf(ResourceDemand.Gpu), each, out fitting);
    }

    // Apart, since compiling it takes longer than what most demands need.
    private bool FitsDevices(long gpus, long each, out int[] fitting)
    {
        fitting = [];
        if (gpus % each != 0)
            return false;
        var count = (int)(gpus / each);
        fitting = Enumerable.Range(0, _devices.Length)
            .Where(index => _freeOnDevice[index] >= each)
            .OrderBy(index => _freeOnDevice[index])
            .ThenBy(index => index)
            .Take(count)
            .Select(index => _devices[index])
            .ToArray();
        return fitting.Length == count;
    }

    private ResourceAllocation Take(ResourceDemand demand, int[] fitting, bool isLasting = false)
    {
        for (var index = 0; index < demand.Count; index++)
            _reserved[_total.IndexOf(demand.NameAt(index))] += demand.UnitsAt(index);
        if (fitting.Length > 0)
            AddFree(fitting, -PerDevice(demand));
        if (isLasting)
            _lastingCpu += demand.UnitsOf(ResourceDemand.Cpu);
        return new(demand, fitting, isLasting);
    }

    /// <summary>Why there can never be so much; null when there can.</summary>
    private string? Never(ResourceDemand demand)
    {
        if (_isClosedForGood)
            return _closedBecause;
        for (var index = 0; index < demand.Count; index++)
        {
            var (resource, units) = (demand.NameAt(index), demand.UnitsAt(index));
            if (units > _total.UnitsOf(resource) || (resource == ResourceDemand.Gpu && units > ResourceDemand.UnitsPerOne && units % ResourceDemand.UnitsPerOne != 0))
                return Never(demand, resource, units);
        }

        return null;
    }

    private string Never(ResourceDemand demand, string resource, long units)
    {
        var has = _total.UnitsOf(resource);
        if (resource == ResourceDemand.Gpu && units > ResourceDemand.UnitsPerOne && units % ResourceDemand.UnitsPerOne != 0)
            return $"{Amount(resource, units)} were asked for; above one, GPUs are whole.";
        return $"{demand} was asked for, and this node has {(has == 0 ? $"no {resource} at all" : $"only {Amount(resource, has)} in total")}. It can never run here.";
    }

    /// <summary>Why there is not so much at this moment.</summary>
    private string NotNow(ResourceDemand demand)
    {
        if (_closedBecause is not null)
            return _closedBecause;
        foreach (var (resource, units) in demand.Units)
        {
            var has = _total.Units.GetValueOrDefault(resource);
            var free = Unreserved(resource);
            if (units > free)
                return $"{demand} was asked for; {Amount(resource, free)} of {Amount(resource, has)} is free.";
        }

        var each = PerDevice(demand);
        return $"{demand} was asked for; no {demand.Units[ResourceDemand.Gpu] / each} of {_devices.Length} GPUs have {Amount("free", each)}: other actors share them.";
    }
}
