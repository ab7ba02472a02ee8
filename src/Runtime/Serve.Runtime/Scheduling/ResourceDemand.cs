using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>Amount of each resource, exact to 0.0001: stored as integers of ten-thousandths, so that sums are exact.</summary>
public sealed record ResourceDemand
{
    /// <summary>Units per whole resource.</summary>
    public const long UnitsPerOne = 10_000;

    /// <summary>The name of the CPU resource.</summary>
    public const string Cpu = "CPU";

    /// <summary>The name of the GPU resource.</summary>
    public const string Gpu = "GPU";

    /// <summary>The name of the memory resource, in bytes.</summary>
    public const string Memory = "memory";

    /// <summary>Empty demand.</summary>
    public static ResourceDemand None { get; } = new();

    // Two plain arrays ordered by name. The dictionary over them is created on demand, because its code would be JIT-compiled at the start of each process.
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
    internal int Count => _names.Length;

    /// <summary>Returns this demand with another amount of a resource.</summary>
    /// <param name="resource">Resource name.</param>
    /// <param name="amount">Amount, at least 0; rounded to 0.0001.</param>
    /// <returns>A new demand.</returns>
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

    /// <summary>Name of the resource at an index.</summary>
    internal string NameAt(int index) => _names[index];

    /// <summary>Units of the resource at an index.</summary>
    internal long UnitsAt(int index) => _amounts[index];

    /// <summary>Units of a resource; 0 if it is not part of the demand.</summary>
    internal long UnitsOf(string resource) => IndexOf(resource) is >= 0 and var index ? _amounts[index] : 0;

    /// <summary>Index of a resource; -1 if it is not part of the demand.</summary>
    internal int IndexOf(string resource)
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
