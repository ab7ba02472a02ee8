using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>Every key of one settings object: the one place that reading, checking, merging and writing go by.</summary>
/// <param name="empty">The object with nothing set.</param>
/// <param name="keys">Its keys, in the order they are written.</param>
internal sealed class ConfigKeyTable<T>(T empty, params ConfigKey<T>[] keys)
    where T : class
{
    private readonly FrozenDictionary<string, ConfigKey<T>> _byName = keys
        .SelectMany(key => key.Alias is null ? [(key.Name, key)] : new[] { (key.Name, key), (key.Alias, key) })
        .ToFrozenDictionary(pair => pair.Item1, pair => pair.key);

    public T Read(JsonNode? node, string path, ConfigErrorCollector errors)
    {
        if (node is not JsonObject json)
        {
            errors.Add(path, $"expected an object, got {ConfigErrorCollector.Describe(node)}");
            return empty;
        }

        var options = empty;
        HashSet<string> seen = [];
        foreach (var (name, value) in json)
        {
            var at = path.Length == 0 ? name : $"{path}.{name}";
            if (!_byName.TryGetValue(name, out var key))
                errors.Add(at, Unknown(name));
            else if (!seen.Add(key.Name))
                errors.Add(at, $"'{key.Name}' and '{key.Alias}' are the same key; give one of them");
            else
                options = key.Read(options, value, at, errors);
        }

        foreach (var key in keys.Where(key => key.Required is not null && !seen.Contains(key.Name)))
            errors.Add(path.Length == 0 ? key.Name : $"{path}.{key.Name}", $"missing; {key.Required}");
        return options;
    }

    public void Check(T options, string path, ConfigErrorCollector errors)
    {
        foreach (var key in keys)
            key.Check(options, $"{path}.{key.Name}", errors);
    }

    public T Merge(T under, T over) => keys.Aggregate(under, (merged, key) => key.Merge(merged, over));

    public JsonObject Write(T options)
    {
        JsonObject json = [];
        foreach (var key in keys)
            key.Write(options, json);
        return json;
    }

    private string Unknown(string name) => NearestNameFinder.Find(name, _byName.Keys) is { } nearest
        ? $"unknown key '{name}'; did you mean '{nearest}'?"
        : $"unknown key '{name}'; known keys are {string.Join(", ", keys.Where(key => key is not UnsupportedKey<T>).Select(key => key.Name).Order(StringComparer.Ordinal))}";
}
