using System.Collections.Immutable;
using Serve.Runtime.Devices;

namespace Serve.Runtime;

/// <summary>Creates resource demands from user options.</summary>
public static class ResourceDemandFactory
{
    /// <summary>Returns the total resources of a cluster or node.</summary>
    /// <param name="options">Configured amounts; the rest is detected from the machine.</param>
    /// <returns>Total resources.</returns>
    /// <exception cref="ArgumentException">An amount is negative or not a number, or a custom resource has the name of a predefined one.</exception>
    public static ResourceDemand TotalOf(ClusterOptions options)
    {
        var total = Of(
            options.NumCpus ?? Environment.ProcessorCount, options.NumGpus ?? GpuDevices.Shared.Read().Count, options.Memory ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        return options.HasResources ? WithOwn(total, options) : total;
    }

    /// <summary>Returns the demand of a bundle.</summary>
    internal static ResourceDemand Of(Bundle bundle) => Of(bundle.Cpus, bundle.Gpus, bundle.Memory, bundle.Resources);

    /// <summary>Returns a demand with these amounts.</summary>
    /// <exception cref="ArgumentException">An amount is negative or not a number, or a custom resource has the name of a predefined one.</exception>
    internal static ResourceDemand Of(double cpus, double gpus, double memory, ImmutableDictionary<string, double>? custom)
    {
        var demand = Of(cpus, gpus, memory);
        return custom is null ? demand : With(demand, custom);
    }

    private static ResourceDemand Of(double cpus, double gpus, double memory) =>
        With(With(With(ResourceDemand.None, ResourceDemand.Cpu, cpus), ResourceDemand.Gpu, gpus), ResourceDemand.Memory, memory);

    // A separate method, because compiling it loads the library of immutable collections.
    private static ResourceDemand WithOwn(ResourceDemand total, ClusterOptions options) => With(total, options.Resources);

    private static ResourceDemand With(ResourceDemand demand, ImmutableDictionary<string, double> custom)
    {
        foreach (var (resource, amount) in custom)
        {
            if (resource is ResourceDemand.Cpu or ResourceDemand.Gpu or ResourceDemand.Memory)
                throw new ArgumentException($"'{resource}' is a predefined resource with a property of its own, not a custom resource.", nameof(custom));
            demand = With(demand, resource, amount);
        }

        return demand;
    }

    private static ResourceDemand With(ResourceDemand demand, string resource, double amount) =>
        amount is >= 0 and < long.MaxValue / ResourceDemand.UnitsPerOne
            ? amount == 0 ? demand : demand.With(resource, amount)
            : throw new ArgumentException($"Amount of {resource} must be a number of at least 0, but was {amount}.");
}
