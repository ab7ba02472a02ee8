using System.Collections.Immutable;
using System.Globalization;
using Serve.Specs;

namespace Serve.Control.Observed;

/// <summary>Amounts of resources by name, in units of 1/10,000, so that sums are exact.</summary>
public sealed record ResourceAmounts(ImmutableSortedDictionary<string, long> Units)
{
    private const long UnitsPerOne = 10_000;
    private const string Gpu = "GPU";

    /// <summary>No resources.</summary>
    public static ResourceAmounts None { get; } = new(ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal));

    /// <summary>Returns the resources that one replica reserves.</summary>
    public static ResourceAmounts Of(ReplicaResourceSpec spec)
    {
        var units = None.Units.ToBuilder();
        foreach (var (name, amount) in spec.Resources.Append(new("CPU", spec.NumCpus)).Append(new(Gpu, spec.NumGpus)).Append(new("memory", spec.Memory)))
        {
            if (amount > 0)
                units[name] = (long)Math.Round(amount * UnitsPerOne);
        }

        return new(units.ToImmutable());
    }

    /// <summary>The amount of one resource.</summary>
    public long this[string resource] => Units.GetValueOrDefault(resource);

    /// <summary>Returns the sum.</summary>
    public ResourceAmounts Plus(ResourceAmounts other) => Combine(other, static (one, another) => one + another);

    /// <summary>Returns the difference; negative where <paramref name="other"/> is larger.</summary>
    public ResourceAmounts Minus(ResourceAmounts other) => Combine(other, static (one, another) => one - another);

    /// <summary>Returns the larger amount of each resource.</summary>
    public ResourceAmounts Max(ResourceAmounts other) => Combine(other, Math.Max);

    /// <summary>Returns whether <paramref name="available"/> is at least this.</summary>
    public bool FitsIn(ResourceAmounts available) => Units.All(unit => unit.Value <= available[unit.Key]);

    /// <summary>Returns the number of resources of which <paramref name="available"/> has too little.</summary>
    public int CountShortages(ResourceAmounts available) => Units.Count(unit => unit.Value > available[unit.Key]);

    /// <summary>Describes the resources of which <paramref name="available"/> has too little: "needs GPU 1, <paramref name="phrase"/> 0".</summary>
    public string DescribeShortage(ResourceAmounts available, string phrase) => string.Join(", ", Units
        .Where(unit => unit.Value > available[unit.Key])
        .Select(unit => $"needs {unit.Key} {Format(unit.Value)}, {phrase} {Format(Math.Max(0, available[unit.Key]))}"));

    /// <summary>Explains how GPUs are detected if <paramref name="available"/> has too few; empty otherwise.</summary>
    public string DescribeGpuDetection(ResourceAmounts available) => this[Gpu] > available[Gpu]
        ? ". GPUs are the devices reported by NVIDIA's management library (NVML) and allowed by CUDA_VISIBLE_DEVICES, or the value of the node option --num-gpus"
        : "";

    private static string Format(long units) => ((decimal)units / UnitsPerOne).ToString("0.####", CultureInfo.InvariantCulture);

    private ResourceAmounts Combine(ResourceAmounts other, Func<long, long, long> combine)
    {
        var units = Units.ToBuilder();
        foreach (var (name, amount) in other.Units)
            units[name] = combine(units.GetValueOrDefault(name), amount);
        return new(units.ToImmutable());
    }
}
