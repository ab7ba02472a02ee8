using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Tuning.Spaces;

/// <summary>Values of parameters by path; levels are separated by a slash, for example <c>optimizer/momentum</c>. Immutable.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "A point of a search space, not a general dictionary.")]
public sealed class ParamValues : IReadOnlyDictionary<string, object>, IEquatable<ParamValues>
{
    private readonly Dictionary<string, object> _values;

    /// <summary>Creates a point.</summary>
    public ParamValues(IEnumerable<KeyValuePair<string, object>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        _values = [];
        foreach (var (path, value) in values)
            _values.Add(path, value);
    }

    /// <summary>Gets the point without parameters.</summary>
    public static ParamValues Empty { get; } = new([]);

    /// <inheritdoc />
    public int Count => _values.Count;

    /// <inheritdoc />
    public IEnumerable<string> Keys => _values.Keys;

    /// <inheritdoc />
    public IEnumerable<object> Values => _values.Values;

    /// <inheritdoc />
    public object this[string key] => _values.TryGetValue(key, out var value) ? value : throw new KeyNotFoundException(
        $"Parameter '{key}' does not exist.{(NearestNameFinder.Find(key, _values.Keys) is { } near ? $" Did you mean '{near}'?" : "")} Parameters: {string.Join(", ", _values.Keys)}.");

    /// <summary>Gets a value; numbers are converted.</summary>
    /// <exception cref="KeyNotFoundException">The parameter does not exist.</exception>
    /// <exception cref="InvalidCastException">The value cannot be converted.</exception>
    public T Get<T>(string path) => this[path] is var value && value is T typed ? typed : (T)Convert.ChangeType(value, typeof(T), CultureInfo.InvariantCulture);

    /// <summary>Returns an object with the values as its properties, for example a record with a property for each parameter. Names are compared without case.</summary>
    /// <exception cref="JsonException">A value does not fit its property.</exception>
    public T As<T>() => ToJson().Deserialize<T>(SerializerOptions) ?? throw new JsonException($"Parameters must not be null for {typeof(T).Name}.");

    /// <summary>Returns the values as a JSON object; levels are nested objects.</summary>
    public JsonElement ToJson()
    {
        var root = new JsonObject();
        foreach (var (path, value) in _values)
        {
            var parts = path.Split('/');
            var level = root;
            foreach (var part in parts[..^1])
                level = (JsonObject)(level[part] ??= new JsonObject());
            level[parts[^1]] = JsonSerializer.SerializeToNode(value, SerializerOptions);
        }

        return JsonSerializer.SerializeToElement(root);
    }

    /// <inheritdoc />
    public bool ContainsKey(string key) => _values.ContainsKey(key);

    /// <inheritdoc />
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object value) => _values.TryGetValue(key, out value);

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc />
    public bool Equals(ParamValues? other) => other is not null && other.Count == Count && _values.All(pair => other.TryGetValue(pair.Key, out var value) && Equals(pair.Value, value));

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as ParamValues);

    /// <inheritdoc />
    public override int GetHashCode() => _values.Aggregate(0, (hash, pair) => hash ^ HashCode.Combine(pair.Key, pair.Value));

    /// <inheritdoc />
    public override string ToString() => string.Join(", ", _values.Select(pair => FormattableString.Invariant($"{pair.Key}={pair.Value}")));

    private static JsonSerializerOptions SerializerOptions { get; } = new() { PropertyNameCaseInsensitive = true, NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };
}
