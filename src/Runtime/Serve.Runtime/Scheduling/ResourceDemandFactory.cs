using System.Collections.Immutable;
using Serve.Runtime.Devices;

namespace Serve.Runtime;

/// <summary>Demands out of what users write. Holds no state.</summary>
public static class ResourceDemandFactory
{
    /// <summary>What a cluster, or a node, has to give.</summary>
    /// <param name="options">What is said of it; the rest is what the machine has.</param>
    /// <returns>All of it.</returns>
    /// <exception cref="ArgumentException">An amount is negative or not a number, or a custom resource has the name of a known one.</exception>
    public static ResourceDemand TotalOf(ClusterOptions options)
    {
        var total = Of(
            options.NumCpus ?? Environment.ProcessorCount, options.NumGpus ?? GpuDevices.Shared.Read().Count, options.Memory ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return options.HasResources ? WithOwn(total, options) : total;
    }

    /// <summary>What a bundle holds.</summary>
    internal static ResourceDemand Of(Bundle bundle) => Of(bundle.Cpus, bundle.Gpus, bundle.Memory, bundle.Resources);

    /// <summary>So much of each.</summary>
    /// <exception cref="ArgumentException">An amount is negative or not a number, or a custom resource has the name of a known one.</exception>
    internal static ResourceDemand Of(double cpus, double gpus, double memory, ImmutableDictionary<string, double>? custom)
    {
        var demand = Of(cpus, gpus, memory);
        return custom is null ? demand : With(demand, custom);
    }

    private static ResourceDemand Of(double cpus, double gpus, double memory) =>
        With(With(With(ResourceDemand.None, ResourceDemand.Cpu, cpus), ResourceDemand.Gpu, gpus), ResourceDemand.Memory, memory);

    // Apart, since compiling it loads the library of immutable collections.
    private static ResourceDemand WithOwn(ResourceDemand total, ClusterOptions options) => With(total, options.Resources);

    private static ResourceDemand With(ResourceDemand demand, ImmutableDictionary<string, double> custom)
    {
        foreach (var (resource, amount) in custom)
        {
            if (resource is ResourceDemand.Cpu or ResourceDemand.Gpu or ResourceDemand.Memory)
                throw new ArgumentException($"'{resource}' has a property of its own and is no custom resource.", nameof(custom));
            demand = With(demand, resource, amount);
        }

        return demand;
    }

    private static ResourceDemand With(ResourceDemand demand, string resource, double amount) =>
        amount is >= 0 and < long.MaxValue / ResourceDemand.UnitsPerOne
            ? amount == 0 ? demand : demand.With(resource, amount)
            : throw new ArgumentException($"{amount} {resource} cannot be asked for: amounts are numbers from 0.");
}
