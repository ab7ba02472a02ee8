using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace Serve.Experiments;

/// <summary>Metrics of a report by name. NaN is a valid value and never the best one.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "A set of values of one report, not a general dictionary.")]
public sealed class MetricValues : IReadOnlyDictionary<string, double>
{
    private static readonly ConcurrentDictionary<Type, PropertyInfo[]> PropertiesOfTypes = new();

    private readonly string[] _names;
    private readonly double[] _values;

    private MetricValues(string[] names, double[] values) => (_names, _values) = (names, values);

    /// <summary>Gets metrics without values.</summary>
    public static MetricValues Empty { get; } = new([], []);

    /// <inheritdoc />
    public int Count => _names.Length;

    /// <inheritdoc />
    public IEnumerable<string> Keys => _names;

    /// <inheritdoc />
    public IEnumerable<double> Values => _values;

    /// <inheritdoc />
    /// <exception cref="KeyNotFoundException">The metric is absent; the message suggests the nearest name.</exception>
    public double this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException(Missing(key));

    /// <summary>Creates metrics from a dictionary or from the properties of an object, for example <c>new { loss, accuracy }</c>.</summary>
    /// <exception cref="ArgumentException">A value is neither a number nor a boolean.</exception>
    public static MetricValues From(object metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        switch (metrics)
        {
            case MetricValues values:
                return values;
            case double number:
                return new(["value"], [number]);
            case IEnumerable<KeyValuePair<string, double>> pairs:
                var entries = pairs.ToArray();
                return new(Array.ConvertAll(entries, pair => pair.Key), Array.ConvertAll(entries, pair => pair.Value));
            case IEnumerable<KeyValuePair<string, object>> pairs:
                var objects = pairs.ToArray();
                return new(Array.ConvertAll(objects, pair => pair.Key), Array.ConvertAll(objects, pair => ToNumber(pair.Key, pair.Value)));
            case string or IEnumerable:
                throw new ArgumentException($"Metrics must be a dictionary or an object with properties, but were of type {metrics.GetType().Name}. Example: Report(new {{ loss }}).", nameof(metrics));
            default:
                var properties = PropertiesOfTypes.GetOrAdd(metrics.GetType(), static type => [.. type.GetProperties().Where(property => property.CanRead && property.GetIndexParameters().Length == 0)]);
                return properties.Length == 0
                    ? throw new ArgumentException($"Metrics must be a dictionary or an object with properties, but were of type {metrics.GetType().Name}. Example: Report(new {{ loss }}).", nameof(metrics))
                    : new(Array.ConvertAll(properties, property => property.Name), Array.ConvertAll(properties, property => ToNumber(property.Name, property.GetValue(metrics))));
        }
    }

    /// <inheritdoc />
    public bool ContainsKey(string key) => Array.IndexOf(_names, key) >= 0;

    /// <inheritdoc />
    public bool TryGetValue(string key, out double value)
    {
        var index = Array.IndexOf(_names, key);
        value = index < 0 ? 0 : _values[index];
        return index >= 0;
    }

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, double>> GetEnumerator()
    {
        for (var i = 0; i < _names.Length; i++)
            yield return new(_names[i], _values[i]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Describes a missing metric with the existing ones.</summary>
    public string Missing(string name)
    {
        var hint = NearestNameFinder.Find(name, _names) is { } near ? $" Did you mean '{near}'?" : "";
        return $"Metric '{name}' was not reported.{hint} Reported: {(_names.Length == 0 ? "none" : string.Join(", ", _names))}.";
    }

    private static double ToNumber(string name, object? value) => value switch
    {
        double number => number,
        bool flag => flag ? 1 : 0,
        float or int or long or short or byte or uint or ulong or ushort or sbyte or decimal => Convert.ToDouble(value, CultureInfo.InvariantCulture),
        _ => throw new ArgumentException($"Metric '{name}' must be a number or a boolean, but was {(value is null ? "null" : $"of type {value.GetType().Name}")}."),
    };
}
