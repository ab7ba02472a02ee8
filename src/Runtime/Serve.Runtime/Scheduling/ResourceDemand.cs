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
    private readonly string[] _names = [];
    private readonly long[] _amounts = [];
    private ImmutableSortedDictionary<string, long>? _units;

    /// <summary>Nothing.</summary>
    public ResourceDemand()
    {
    }

    private ResourceDemand(string[] names, long[] amounts)
    {
        this._names = names;
        this._amounts = amounts;
    }

    /// <summary>Units by resource name; zero amounts are left out.</summary>
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

    /// <summary>How many resources it names.</summary>
    internal int Count => _names.Length;

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

    /// <summary>The name of one of its resources.</summary>
    internal string NameAt(int index) => _names[index];

    /// <summary>The units of one of its resources.</summary>
    internal long UnitsAt(int index) => _amounts[index];

    /// <summary>The units of a resource; 0 when it does not name it.</summary>
    internal long UnitsOf(string resource) => IndexOf(resource) is >= 0 and var index ? _amounts[index] : 0;

    /// <summary>Which of its resources this is; -1 when it does not name it.</summary>
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
