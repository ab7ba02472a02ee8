using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>
/// What a node has and who holds what of it, exact to 0.0001. Fractions of a GPU share the fullest device they fit on; whole GPUs are
/// exclusive. Its state is written under its lock by <see cref="Reserve"/> and <see cref="Release"/> alone.
/// </summary>
internal sealed class ResourceLedger
{
    private readonly Lock sync = new();
    private readonly ResourceDemand total;
    private readonly Dictionary<string, long> reserved = new(StringComparer.Ordinal);
    private readonly long[] freeOnDevice;

    public ResourceLedger(ResourceDemand total)
    {
        this.total = total;
        freeOnDevice = new long[total.Units.GetValueOrDefault(ResourceDemand.Gpu) / ResourceDemand.UnitsPerOne];
        Array.Fill(freeOnDevice, ResourceDemand.UnitsPerOne);
    }

    public ResourceLedgerSnapshot Snapshot
    {
        get
        {
            lock (sync)
                return new(total, new() { Units = reserved.Where(unit => unit.Value > 0).ToImmutableSortedDictionary(StringComparer.Ordinal) });
        }
    }

    /// <summary>Told, outside the lock, that something was released: who waits may try again.</summary>
    public event Action? Released;

    /// <summary>Reserves when enough is free now.</summary>
    /// <exception cref="InsufficientResourcesException">There can never be enough.</exception>
    public bool TryReserve(ResourceDemand demand, out ResourceAllocation? allocation)
    {
        try
        {
            allocation = Reserve(demand);
            return true;
        }
        catch (InsufficientResourcesException full) when (!full.IsPermanent)
        {
            allocation = null;
            return false;
        }
    }

    /// <exception cref="InsufficientResourcesException">Not enough is free, or there can never be.</exception>
    public ResourceAllocation Reserve(ResourceDemand demand)
    {
        lock (sync)
        {
            foreach (var (resource, units) in demand.Units)
                Check(demand, resource, units);
            var devices = Place(demand, demand.Units.GetValueOrDefault(ResourceDemand.Gpu));
            foreach (var (resource, units) in demand.Units)
                reserved[resource] = reserved.GetValueOrDefault(resource) + units;
            foreach (var device in devices)
                freeOnDevice[device] -= PerDevice(demand);
            return new(demand, devices);
        }
    }

    public void Release(ResourceAllocation allocation)
    {
        lock (sync)
        {
            foreach (var (resource, units) in allocation.Demand.Units)
                reserved[resource] -= units;
            foreach (var device in allocation.GpuIds)
                freeOnDevice[device] += PerDevice(allocation.Demand);
        }

        Released?.Invoke();
    }

    private static long PerDevice(ResourceDemand demand) => Math.Min(demand.Units.GetValueOrDefault(ResourceDemand.Gpu), ResourceDemand.UnitsPerOne);

    private static string Amount(string resource, long units) => $"{(decimal)units / ResourceDemand.UnitsPerOne} {resource}";

    private void Check(ResourceDemand demand, string resource, long units)
    {
        var has = total.Units.GetValueOrDefault(resource);
        var free = has - reserved.GetValueOrDefault(resource);
        if (resource == ResourceDemand.Gpu && units > ResourceDemand.UnitsPerOne && units % ResourceDemand.UnitsPerOne != 0)
            throw new InsufficientResourcesException($"{Amount(resource, units)} were asked for; above one, GPUs are whole.", isPermanent: true);
        if (units > has)
        {
            throw new InsufficientResourcesException(
                $"{demand} was asked for, and this node has {(has == 0 ? $"no {resource} at all" : $"only {Amount(resource, has)} in total")}. It can never run here.",
                isPermanent: true);
        }

        if (units > free)
        {
            throw new InsufficientResourcesException(
                $"{demand} was asked for; {Amount(resource, free)} of {Amount(resource, has)} is free.", isPermanent: false);
        }
    }

    private ImmutableArray<int> Place(ResourceDemand demand, long units)
    {
        if (units == 0)
            return [];
        var each = PerDevice(demand);
        var count = (int)(units / each);
        var devices = Enumerable.Range(0, freeOnDevice.Length)
            .Where(device => freeOnDevice[device] >= each)
            .OrderBy(device => freeOnDevice[device])
            .ThenBy(device => device)
            .Take(count)
            .ToImmutableArray();
        return devices.Length == count
            ? devices
            : throw new InsufficientResourcesException(
                $"{demand} was asked for; no {count} of {freeOnDevice.Length} GPUs have {Amount("free", each)}: other actors share them.", isPermanent: false);
    }
}
