using System.Collections.Immutable;

namespace Serve.Nodes;

/// <summary>Amounts of resources, exact to 0.0001: stored as integer multiples of that unit so that sums are exact. Immutable.</summary>
public sealed record ResourceDemand
{
    /// <summary>Number of units of an amount of 1.</summary>
    public const long UnitsPerOne = 10_000;

    /// <summary>The name of the CPU resource.</summary>
    public const string Cpu = "CPU";

    /// <summary>The name of the GPU resource.</summary>
    public const string Gpu = "GPU";

    /// <summary>The name of the memory resource, in bytes.</summary>
    public const string Memory = "memory";

    /// <summary>No resources.</summary>
    public static ResourceDemand None { get; } = new();

    // Parallel arrays sorted by name. The dictionary is created on demand: compiling its code at the start of each process takes too long.
    private readonly string[] _names = [];
    private readonly long[] _amounts = [];
    private ImmutableSortedDictionary<string, long>? _units;

    /// <summary>Creates an empty demand.</summary>
    public ResourceDemand()
    {
    }

    private ResourceDemand(string[] names, long[] amounts)
    {
        _names = names;
        _amounts = amounts;
    }

    /// <summary>Units by resource name, without zero amounts.</summary>
    public ImmutableSortedDictionary<string, long> Units
    {
        get => _units ??= MakeUnits();
        init
        {
            _units = value;
            _names = [.. value.Where(unit => unit.Value != 0).Select(unit => unit.Key)];
            _amounts = [.. value.Values.Where(amount => amount != 0)];
        }
    }

    /// <summary>Number of resources.</summary>
    public int Count => _names.Length;

    /// <summary>Returns the demand with another amount of one resource.</summary>
    /// <param name="resource">The resource's name.</param>
    /// <param name="amount">At least 0; rounded to 0.0001.</param>
    public ResourceDemand With(string resource, double amount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(amount);
        return WithUnits(resource, (long)Math.Round(amount * UnitsPerOne));
    }

    /// <inheritdoc/>
    public bool Equals(ResourceDemand? other) => other is not null && _names.AsSpan().SequenceEqual(other._names) && _amounts.AsSpan().SequenceEqual(other._amounts);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        for (var index = 0; index < _names.Length; index++)
        {
            hash.Add(_names[index]);
            hash.Add(_amounts[index]);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Units.Count == 0 ? "nothing" : string.Join(", ", Units.Select(unit => $"{unit.Key} {(decimal)unit.Value / UnitsPerOne}"));

    /// <summary>Returns the name of a resource.</summary>
    /// <param name="index">Less than <see cref="Count"/>.</param>
    public string NameAt(int index) => _names[index];

    /// <summary>Returns the units of a resource.</summary>
    /// <param name="index">Less than <see cref="Count"/>.</param>
    public long UnitsAt(int index) => _amounts[index];

    /// <summary>Returns the units of a resource; 0 if it is not demanded.</summary>
    /// <param name="resource">The resource's name.</param>
    public long UnitsOf(string resource) => IndexOf(resource) is >= 0 and var index ? _amounts[index] : 0;

    /// <summary>Returns the index of a resource; -1 if it is not demanded.</summary>
    /// <param name="resource">The resource's name.</param>
    public int IndexOf(string resource)
    {
        for (var index = 0; index < _names.Length; index++)
        {
            if (_names[index] == resource)
                return index;
        }

        return -1;
    }

    private ResourceDemand WithUnits(string resource, long wanted)
    {
        var at = 0;
        while (at < _names.Length && string.CompareOrdinal(_names[at], resource) < 0)
            at++;
        var isNamed = at < _names.Length && _names[at] == resource;
        if (wanted == 0 && !isNamed)
            return this;
        var rest = isNamed ? at + 1 : at;
        var own = wanted == 0 ? 0 : 1;
        var newNames = new string[at + own + _names.Length - rest];
        var newAmounts = new long[newNames.Length];
        Array.Copy(_names, newNames, at);
        Array.Copy(_amounts, newAmounts, at);
        Array.Copy(_names, rest, newNames, at + own, _names.Length - rest);
        Array.Copy(_amounts, rest, newAmounts, at + own, _names.Length - rest);
        if (own != 0)
            (newNames[at], newAmounts[at]) = (resource, wanted);
        return new(newNames, newAmounts);
    }

    private ImmutableSortedDictionary<string, long> MakeUnits()
    {
        var made = ImmutableSortedDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        for (var index = 0; index < _names.Length; index++)
            made.Add(_names[index], _amounts[index]);
        return made.ToImmutable();
    }
}

/// <summary>Resources of a node at one moment.</summary>
/// <param name="Total">All resources.</param>
/// <param name="Reserved">The reserved part.</param>
public sealed record ResourceLedgerSnapshot(ResourceDemand Total, ResourceDemand Reserved);
