using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>
/// Resource ledger of a node or of a bundle of a placement group: its total resources and their holders, exact to 0.0001. Fractions of a GPU share the fullest
/// device they fit on; whole GPUs are exclusive. The ledger of another node assigns only granted resources, and requests missing ones. Its state is
/// written under its lock by its own methods only.
/// </summary>
public sealed class ResourceLedger
{
    private readonly Lock _sync = new();
    private readonly ResourceDemand _total;
    private readonly long[] _reserved;
    private readonly long[]? _granted;
    private readonly Func<ResourceDemand>? _readReserved;
    private int[] _devices = [];
    private long[] _freeOnDevice = [];
    private ResourceDemand? _claim;
    private long _lastingCpu;
    private string? _closedBecause;
    private volatile bool _isClosedForGood;

    public ResourceLedger(ResourceDemand total)
    {
        _total = total;
        _reserved = new long[total.Count];
        if ((int)(total.UnitsOf(ResourceDemand.Gpu) / ResourceDemand.UnitsPerOne) is > 0 and var gpus)
            Equip(gpus);
    }

    private ResourceLedger(ResourceDemand total, string closedBecause)
    {
        _total = total;
        _reserved = new long[total.Count];
        _closedBecause = closedBecause;
    }

    private ResourceLedger(ResourceDemand total, Func<ResourceDemand> readReserved)
    {
        _total = total;
        _reserved = new long[total.Count];
        _granted = new long[total.Count];
        _readReserved = readReserved;
    }

    public ResourceDemand Total => _total;

    /// <summary>Node of the resources; null for a bundle that is not reserved.</summary>
    public string? NodeId { get; set; }

    public ResourceLedgerSnapshot Snapshot
    {
        get
        {
            // Includes what others have reserved on the node.
            var ofNode = _readReserved?.Invoke();
            lock (_sync)
            {
                var reserved = ImmutableSortedDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
                for (var index = 0; index < _reserved.Length; index++)
                {
                    var ofOthers = ofNode is null ? 0 : Math.Max(0, ofNode.UnitsOf(_total.NameAt(index)) - _granted![index]);
                    if (Math.Min(_reserved[index] + ofOthers, _total.UnitsAt(index)) is > 0 and var units)
                        reserved.Add(_total.NameAt(index), units);
                }

                return new(_total, new() { Units = reserved.ToImmutable() });
            }
        }
    }

    /// <summary>Raised outside of the lock when resources were released or the ledger was opened or closed: waiters may retry.</summary>
    public event Action? Released;

    /// <summary>Creates a ledger that grants nothing until it is opened.</summary>
    /// <param name="total">Its resources once it is open.</param>
    /// <param name="because">Reason reported to callers until then.</param>
    public static ResourceLedger Closed(ResourceDemand total, string because) => new(total, because);

    /// <summary>Creates the ledger of another node, which can assign what that node grants.</summary>
    /// <param name="total">The resources of the node.</param>
    /// <param name="readReserved">Reads the reserved resources of the node, grants included.</param>
    public static ResourceLedger OfGrants(ResourceDemand total, Func<ResourceDemand> readReserved) => new(total, readReserved);

    /// <summary>Requests a grant of missing resources; must return at once. Called outside of the lock.</summary>
    public Action<ResourceDemand>? RequestGrant { get; set; }

    /// <summary>Adds granted resources and notifies waiters.</summary>
    public void AddGrant(IResourceGrant grant)
    {
        lock (_sync)
        {
            ChangeGranted(grant.Amount, +1);
            var known = grant.GpuIds.Where(id => Array.IndexOf(_devices, id) < 0).ToArray();
            (_devices, _freeOnDevice) = ([.. _devices, .. known], [.. _freeOnDevice, .. new long[known.Length]]);
            AddFree(grant.GpuIds, PerDevice(grant.Amount));
        }

        Released?.Invoke();
    }

    /// <summary>Removes granted resources if they are unreserved.</summary>
    /// <param name="grant">The grant.</param>
    /// <param name="isTrial">Whether they are left in place.</param>
    /// <returns>Whether they are unreserved.</returns>
    public bool TryWithdraw(IResourceGrant grant, bool isTrial)
    {
        lock (_sync)
        {
            var each = PerDevice(grant.Amount);
            for (var index = 0; index < grant.Amount.Count; index++)
            {
                if (Unreserved(grant.Amount.NameAt(index)) < grant.Amount.UnitsAt(index))
                    return false;
            }

            if (grant.GpuIds.Any(id => _freeOnDevice[Array.IndexOf(_devices, id)] < each))
                return false;
            if (!isTrial)
                Withdraw(grant);
            return true;
        }
    }

    /// <summary>Removes granted resources that have expired, whether or not they are reserved.</summary>
    public void Withdraw(IResourceGrant grant)
    {
        lock (_sync)
        {
            ChangeGranted(grant.Amount, -1);
            AddFree(grant.GpuIds, -PerDevice(grant.Amount));
        }
    }

    /// <summary>Makes waiters try again, because other ledgers may serve them now.</summary>
    public void NotifyWaiters() => Released?.Invoke();

    /// <summary>Opens the ledger for resources that were reserved elsewhere.</summary>
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

    /// <summary>Whether the ledger grants nothing any more, because its node has left or its placement group was removed.</summary>
    public bool IsClosedForGood => _isClosedForGood;

    /// <summary>Closes the ledger and notifies waiters. Held resources are still to be released.</summary>
    public void Close(string because)
    {
        lock (_sync)
        {
            _closedBecause = because;
            _isClosedForGood = true;
        }

        Released?.Invoke();
    }

    /// <summary>Subscribes to releases. Subscribing twice has no effect and keeps the original order.</summary>
    /// <param name="subscriber">Subscriber.</param>
    /// <param name="isFirst">Whether it is notified before the existing subscribers.</param>
    public void SubscribeReleased(Action subscriber, bool isFirst = false)
    {
        Action? seen;
        do
        {
            seen = Released;
            if (!ReferenceEquals(Delegate.Remove(seen, subscriber), seen))
                return;
        }
        while (Interlocked.CompareExchange(ref Released, isFirst ? subscriber + seen : seen + subscriber, seen) != seen);
    }

    /// <summary>Unreserved units of a resource.</summary>
    public long Free(string resource)
    {
        lock (_sync)
            return _closedBecause is null ? Unreserved(resource) : 0;
    }

    /// <summary>Keeps unreserved and released resources for a claim: <see cref="TryReserve"/> grants none of them until the claim is dropped (null).</summary>
    public void Claim(ResourceDemand? wanted)
    {
        lock (_sync)
            _claim = wanted;
        if (wanted is null)
            Released?.Invoke();
    }

    /// <summary>Makes a lasting reservation for the holder of the claim.</summary>
    public bool TryReserveClaimed(ResourceDemand demand, out ResourceAllocation? allocation)
    {
        lock (_sync)
            allocation = Fits(demand, out var fitting) ? Take(demand, fitting, isLasting: true) : null;
        if (allocation is null)
            RequestMissing(demand);
        return allocation is not null;
    }

    /// <summary>Whether tasks can get so much CPU before any lasting reservation ends.</summary>
    public bool LeavesForTasks(ResourceDemand cpus)
    {
        lock (_sync)
            return _total.UnitsOf(ResourceDemand.Cpu) - _lastingCpu >= cpus.UnitsOf(ResourceDemand.Cpu);
    }

    /// <summary>Whether the ledger could grant the demand if nothing else were reserved.</summary>
    public bool CanEverReserve(ResourceDemand demand) => Never(demand) is null;

    /// <summary>Reserves resources if enough are free.</summary>
    /// <param name="demand">Requested resources.</param>
    /// <param name="allocation">Reservation if successful.</param>
    /// <param name="isLasting">Whether it is kept for the lifetime of an actor instead of a task.</param>
    /// <exception cref="InsufficientResourcesException">The demand can never be granted.</exception>
    public bool TryReserve(ResourceDemand demand, out ResourceAllocation? allocation, bool isLasting = false)
    {
        lock (_sync)
            allocation = !IsClaimed(demand) && Fits(demand, out var fitting) ? Take(demand, fitting, isLasting) : null;
        if (allocation is not null)
            return true;
        if (Never(demand) is { } why)
            throw new InsufficientResourcesException(why, isPermanent: true);
        RequestMissing(demand);
        return false;
    }

    /// <summary>Makes a lasting reservation immediately, or throws.</summary>
    /// <exception cref="InsufficientResourcesException">Not enough is free, or the demand can never be granted.</exception>
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

    private long Unreserved(string resource) =>
        _total.IndexOf(resource) is >= 0 and var index ? (_granted is null ? _total.UnitsAt(index) : _granted[index]) - _reserved[index] : 0;

    private void ChangeGranted(ResourceDemand amount, int sign)
    {
        for (var index = 0; index < amount.Count; index++)
            _granted![_total.IndexOf(amount.NameAt(index))] += sign * amount.UnitsAt(index);
    }

    private void RequestMissing(ResourceDemand demand)
    {
        if (RequestGrant is not { } request || _isClosedForGood)
            return;
        var missing = ResourceDemand.None;
        lock (_sync)
        {
            for (var index = 0; index < demand.Count; index++)
            {
                var (resource, units) = (demand.NameAt(index), demand.UnitsAt(index));
                var lacking = resource == ResourceDemand.Gpu ? (FitsDevices(units, PerDevice(demand), out _) ? 0 : units) : Math.Max(0, units - Unreserved(resource));
                if (lacking > 0)
                    missing = missing.With(resource, (double)lacking / ResourceDemand.UnitsPerOne);
            }
        }

        if (missing.Count > 0)
            request(missing);
    }

    private void AddFree(IEnumerable<int> ids, long each)
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

    // A separate method, because compiling it takes longer than what most demands need.
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

    /// <summary>Why the demand can never be granted; null if it can.</summary>
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
            return $"{Amount(resource, units)} was requested; GPU amounts above 1 must be whole.";
        return $"{demand} was requested, but this node has {(has == 0 ? $"no {resource} at all" : $"only {Amount(resource, has)} in total")}. It can never run here.";
    }

    /// <summary>Why the demand cannot be granted at the moment.</summary>
    private string NotNow(ResourceDemand demand)
    {
        if (_closedBecause is not null)
            return _closedBecause;
        foreach (var (resource, units) in demand.Units)
        {
            var has = _total.Units.GetValueOrDefault(resource);
            var free = Unreserved(resource);
            if (units > free)
                return $"{demand} was requested, but only {Amount(resource, free)} of {Amount(resource, has)} is free.";
        }

        var each = PerDevice(demand);
        return $"{demand} was requested, but no {demand.Units[ResourceDemand.Gpu] / each} of {_devices.Length} GPUs have {Amount("free", each)}: they are shared with other actors.";
    }
}

/// <summary>Resources that a task, an actor or a placement group holds of a ledger; released as a whole.</summary>
/// <param name="Demand">Amounts.</param>
/// <param name="GpuIds">Assigned GPU devices; never modified.</param>
/// <param name="IsLasting">Whether it is held for longer than a task.</param>
public sealed record ResourceAllocation(ResourceDemand Demand, int[] GpuIds, bool IsLasting = false);
