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

    // Two plain arrays in the order of the names: the dictionary over them is code that is compiled at the start of each process, so it is made for who asks.
    private readonly string[] names = [];
    private readonly long[] amounts = [];
    private ImmutableSortedDictionary<string, long>? units;

    /// <summary>Nothing.</summary>
    public ResourceDemand()
    {
    }

    private ResourceDemand(string[] names, long[] amounts)
    {
        this.names = names;
        this.amounts = amounts;
    }

    /// <summary>Units by resource name; zero amounts are left out.</summary>
    public ImmutableSortedDictionary<string, long> Units
    {
        get => units ??= MakeUnits();
        init
        {
            units = value;
            names = [.. value.Where(unit => unit.Value != 0).Select(unit => unit.Key)];
            amounts = [.. value.Values.Where(amount => amount != 0)];
        }
    }

    /// <summary>How many resources it names.</summary>
    internal int Count => names.Length;

    /// <summary>This amount and so much of a resource.</summary>
    /// <param name="resource">The resource's name.</param>
    /// <param name="amount">At least 0; rounded to 0.0001.</param>
    /// <returns>A new demand.</returns>
    public ResourceDemand With(string resource, double amount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        return WithUnits(resource, (long)Math.Round(amount * UnitsPerOne));
    }

    /// <inheritdoc/>
    public bool Equals(ResourceDemand? other) => other is not null && names.AsSpan().SequenceEqual(other.names) && amounts.AsSpan().SequenceEqual(other.amounts);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        for (var index = 0; index < names.Length; index++)
        {
            hash.Add(names[index]);
            hash.Add(amounts[index]);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Units.Count == 0 ? "nothing" : string.Join(", ", Units.Select(unit => $"{unit.Key} {(decimal)unit.Value / UnitsPerOne}"));

    /// <summary>The name of one of its resources.</summary>
    internal string NameAt(int index) => names[index];

    /// <summary>The units of one of its resources.</summary>
    internal long UnitsAt(int index) => amounts[index];

    /// <summary>The units of a resource; 0 when it does not name it.</summary>
    internal long UnitsOf(string resource) => IndexOf(resource) is >= 0 and var index ? amounts[index] : 0;

    /// <summary>Which of its resources this is; -1 when it does not name it.</summary>
    internal int IndexOf(string resource)
    {
        for (var index = 0; index < names.Length; index++)
        {
            if (names[index] == resource)
                return index;
        }

        return -1;
    }

    private ResourceDemand WithUnits(string resource, long wanted)
    {
        var at = 0;
        while (at < names.Length && string.CompareOrdinal(names[at], resource) < 0)
            at++;
        var isNamed = at < names.Length && names[at] == resource;
        if (wanted == 0 && !isNamed)
            return this;
        var rest = isNamed ? at + 1 : at;
        var own = wanted == 0 ? 0 : 1;
        var newNames = new string[at + own + names.Length - rest];
        var newAmounts = new long[newNames.Length];
        Array.Copy(names, newNames, at);
        Array.Copy(amounts, newAmounts, at);
        Array.Copy(names, rest, newNames, at + own, names.Length - rest);
        Array.Copy(amounts, rest, newAmounts, at + own, names.Length - rest);
        if (own != 0)
            (newNames[at], newAmounts[at]) = (resource, wanted);
        return new(newNames, newAmounts);
    }

    private ImmutableSortedDictionary<string, long> MakeUnits()
    {
        var made = ImmutableSortedDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        for (var index = 0; index < names.Length; index++)
            made.Add(names[index], amounts[index]);
        return made.ToImmutable();
    }
}
