using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>
/// What a node, or a bundle of a placement group, has and who holds what of it, exact to 0.0001. Fractions of a GPU share the fullest
/// device they fit on; whole GPUs are exclusive. Its state is written under its lock by its own methods alone.
/// </summary>
internal sealed class ResourceLedger
{
    private readonly Lock sync = new();
    private readonly ResourceDemand total;
    private readonly long[] reserved;
    private int[] devices = [];
    private long[] freeOnDevice = [];
    private ResourceDemand? claim;
    private long lastingCpu;
    private string? closedBecause;
    private bool isClosedForGood;

    public ResourceLedger(ResourceDemand total)
    {
        this.total = total;
        reserved = new long[total.Count];
        if ((int)(total.UnitsOf(ResourceDemand.Gpu) / ResourceDemand.UnitsPerOne) is > 0 and var gpus)
            Equip(gpus);
    }

    private ResourceLedger(ResourceDemand total, string closedBecause)
    {
        this.total = total;
        reserved = new long[total.Count];
        this.closedBecause = closedBecause;
    }

    public ResourceDemand Total => total;

    public ResourceLedgerSnapshot Snapshot
    {
        get
        {
            lock (sync)
                return new(total, new() { Units = Enumerable.Range(0, reserved.Length).Where(index => reserved[index] > 0).ToImmutableSortedDictionary(total.NameAt, index => reserved[index], StringComparer.Ordinal) });
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
        lock (sync)
        {
            if (isClosedForGood)
                return;
            Equip(held.GpuIds, PerDevice(held.Demand));
            closedBecause = null;
        }

        Released?.Invoke();
    }

    /// <summary>Gives nothing any more; what is held is still to be released. Who waits is told.</summary>
    public void Close(string because)
    {
        lock (sync)
        {
            closedBecause = because;
            isClosedForGood = true;
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
        lock (sync)
            return closedBecause is null ? Unreserved(resource) : 0;
    }

    /// <summary>Keeps what is free of these resources, or comes free, for who claims them: <see cref="TryReserve"/> gives none of them to others until the claim is dropped (null).</summary>
    public void Claim(ResourceDemand? wanted)
    {
        lock (sync)
            claim = wanted;
        if (wanted is null)
            Released?.Invoke();
    }

    /// <summary>Reserves for who has claimed, and keeps it for long.</summary>
    public bool TryReserveClaimed(ResourceDemand demand, out ResourceAllocation? allocation)
    {
        lock (sync)
            allocation = Fits(demand, out var fitting) ? Take(demand, fitting, isLasting: true) : null;
        return allocation is not null;
    }

    /// <summary>Whether tasks can have so much of the CPUs before any of those end who have reserved some for long.</summary>
    public bool LeavesForTasks(ResourceDemand cpus)
    {
        lock (sync)
            return total.UnitsOf(ResourceDemand.Cpu) - lastingCpu >= cpus.UnitsOf(ResourceDemand.Cpu);
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
        lock (sync)
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
        lock (sync)
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
        lock (sync)
        {
            var demand = allocation.Demand;
            for (var index = 0; index < demand.Count; index++)
                reserved[total.IndexOf(demand.NameAt(index))] -= demand.UnitsAt(index);
            if (allocation.IsLasting)
                lastingCpu -= demand.UnitsOf(ResourceDemand.Cpu);
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
        devices = [.. ids];
        freeOnDevice = new long[devices.Length];
        Array.Fill(freeOnDevice, each);
    }

    private bool IsClaimed(ResourceDemand demand)
    {
        for (var index = 0; claim is not null && index < claim.Count; index++)
        {
            if (demand.UnitsOf(claim.NameAt(index)) != 0)
                return true;
        }

        return false;
    }

    private long Unreserved(string resource) => total.IndexOf(resource) is >= 0 and var index ? total.UnitsAt(index) - reserved[index] : 0;

    private void AddFree(int[] ids, long each)
    {
        foreach (var device in ids)
            freeOnDevice[Array.IndexOf(devices, device)] += each;
    }

    private bool Fits(ResourceDemand demand, out int[] fitting)
    {
        fitting = [];
        if (closedBecause is not null)
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
        fitting = Enumerable.Range(0, devices.Length)
            .Where(index => freeOnDevice[index] >= each)
            .OrderBy(index => freeOnDevice[index])
            .ThenBy(index => index)
            .Take(count)
            .Select(index => devices[index])
            .ToArray();
        return fitting.Length == count;
    }

    private ResourceAllocation Take(ResourceDemand demand, int[] fitting, bool isLasting = false)
    {
        for (var index = 0; index < demand.Count; index++)
            reserved[total.IndexOf(demand.NameAt(index))] += demand.UnitsAt(index);
        if (fitting.Length > 0)
            AddFree(fitting, -PerDevice(demand));
        if (isLasting)
            lastingCpu += demand.UnitsOf(ResourceDemand.Cpu);
        return new(demand, fitting, isLasting);
    }

    /// <summary>Why there can never be so much; null when there can.</summary>
    private string? Never(ResourceDemand demand)
    {
        if (isClosedForGood)
            return closedBecause;
        for (var index = 0; index < demand.Count; index++)
        {
            var (resource, units) = (demand.NameAt(index), demand.UnitsAt(index));
            if (units > total.UnitsOf(resource) || (resource == ResourceDemand.Gpu && units > ResourceDemand.UnitsPerOne && units % ResourceDemand.UnitsPerOne != 0))
                return Never(demand, resource, units);
        }

        return null;
    }

    private string Never(ResourceDemand demand, string resource, long units)
    {
        var has = total.UnitsOf(resource);
        if (resource == ResourceDemand.Gpu && units > ResourceDemand.UnitsPerOne && units % ResourceDemand.UnitsPerOne != 0)
            return $"{Amount(resource, units)} were asked for; above one, GPUs are whole.";
        return $"{demand} was asked for, and this node has {(has == 0 ? $"no {resource} at all" : $"only {Amount(resource, has)} in total")}. It can never run here.";
    }

    /// <summary>Why there is not so much at this moment.</summary>
    private string NotNow(ResourceDemand demand)
    {
        if (closedBecause is not null)
            return closedBecause;
        foreach (var (resource, units) in demand.Units)
        {
            var has = total.Units.GetValueOrDefault(resource);
            var free = Unreserved(resource);
            if (units > free)
                return $"{demand} was asked for; {Amount(resource, free)} of {Amount(resource, has)} is free.";
        }

        var each = PerDevice(demand);
        return $"{demand} was asked for; no {demand.Units[ResourceDemand.Gpu] / each} of {devices.Length} GPUs have {Amount("free", each)}: other actors share them.";
    }
}
