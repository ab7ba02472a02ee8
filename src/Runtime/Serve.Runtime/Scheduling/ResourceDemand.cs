using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>An amount of each resource, to 0.0001: kept as integers of ten-thousandths so that sums are exact.</summary>
public sealed record ResourceDemand
{
    /// <summary>How many units make one.</summary>
    public const long UnitsPerOne = 10_000;

    /// <summary>The name of the CPU resource.</summary>
    public const string Cpu = "CPU";

    /// <summary>The name of the GPU resource.</summary>
    public const string Gpu = "GPU";

    /// <summary>The name of the memory resource, in bytes.</summary>
    public const string Memory = "memory";

    /// <summary>Nothing.</summary>
    public static ResourceDemand None { get; } = new();

    /// <summary>Units by resource name; zero amounts are left out.</summary>
    public ImmutableSortedDictionary<string, long> Units { get; init; } = ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    /// <summary>This amount and so much of a resource.</summary>
    /// <param name="resource">The resource's name.</param>
    /// <param name="amount">At least 0; rounded to 0.0001.</param>
    /// <returns>A new demand.</returns>
    public ResourceDemand With(string resource, double amount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        var units = (long)Math.Round(amount * UnitsPerOne);
        return new() { Units = units == 0 ? Units.Remove(resource) : Units.SetItem(resource, units) };
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Units.Count == 0 ? "nothing" : string.Join(", ", Units.Select(unit => $"{unit.Key} {(decimal)unit.Value / UnitsPerOne}"));
}
