using System.Collections.Immutable;
using System.Globalization;
using Serve.Specs;

namespace Serve.Control;

/// <summary>An amount of each resource in ten-thousandths, so that sums are exact.</summary>
public sealed record ResourceAmounts(ImmutableSortedDictionary<string, long> Units)
{
    private const long UnitsPerOne = 10_000;
    private const string Gpu = "GPU";

    /// <summary>Nothing.</summary>
    public static ResourceAmounts None { get; } = new(ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal));

    /// <summary>What one replica reserves.</summary>
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

    /// <summary>The sum.</summary>
    public ResourceAmounts Plus(ResourceAmounts other) => Combine(other, 1);

    /// <summary>The difference; may be negative where more is held than there is.</summary>
    public ResourceAmounts Minus(ResourceAmounts other) => Combine(other, -1);

    /// <summary>So many times this.</summary>
    public ResourceAmounts Times(int count) => new(Units.ToImmutableSortedDictionary(unit => unit.Key, unit => unit.Value * count, StringComparer.Ordinal));

    /// <summary>Whether this can be taken out of <paramref name="available"/>.</summary>
    public bool FitsIn(ResourceAmounts available) => Units.All(unit => unit.Value <= available[unit.Key]);

    /// <summary>What of this <paramref name="available"/> cannot give, with numbers, for people.</summary>
    public string DescribeShortage(ResourceAmounts available, string word) => string.Join(", ", Units
        .Where(unit => unit.Value > available[unit.Key])
        .Select(unit => $"needs {unit.Key} {Text(unit.Value)}, {word} {Text(Math.Max(0, available[unit.Key]))}"));

    /// <summary>Where the devices of <paramref name="available"/> come from, for people who miss one; empty when none is missed.</summary>
    public string DescribeGpuDetection(ResourceAmounts available) => this[Gpu] > available[Gpu]
        ? ". GPUs are the devices that NVIDIA's management library (NVML) shows and CUDA_VISIBLE_DEVICES leaves, or what the node's option --num-gpus says"
        : "";

    private static string Text(long units) => ((decimal)units / UnitsPerOne).ToString("0.####", CultureInfo.InvariantCulture);

    private ResourceAmounts Combine(ResourceAmounts other, int sign)
    {
        var units = Units.ToBuilder();
        foreach (var (name, amount) in other.Units)
            units[name] = units.GetValueOrDefault(name) + sign * amount;
        return new(units.ToImmutable());
    }
}
