using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>Amounts of custom resources by name; two sources merge name by name.</summary>
internal sealed class ResourceAmountsRule : ConfigValueRule<IReadOnlyDictionary<string, double>>
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out IReadOnlyDictionary<string, double> value)
    {
        var amounts = new SortedDictionary<string, double>(StringComparer.Ordinal);
        value = amounts;
        if (node is not JsonObject entries)
        {
            errors.Add(path, $"expected an object of amounts by name, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        var before = errors.Count;
        foreach (var (name, amount) in entries)
        {
            if (NumberRangeRule.Amount.TryRead(amount, $"{path}.{name}", errors, out var number))
                amounts[name] = number;
            CheckName(name, path, errors);
        }

        return errors.Count == before;
    }

    public override void Check(IReadOnlyDictionary<string, double> value, string path, ConfigErrorCollector errors)
    {
        foreach (var (name, amount) in value)
        {
            NumberRangeRule.Amount.Check(amount, $"{path}.{name}", errors);
            CheckName(name, path, errors);
        }
    }

    public override IReadOnlyDictionary<string, double> Merge(IReadOnlyDictionary<string, double> under, IReadOnlyDictionary<string, double> over)
    {
        var merged = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (name, amount) in under.Concat(over))
            merged[name] = amount;
        return merged;
    }

    public override JsonNode? Write(IReadOnlyDictionary<string, double> value) =>
        new JsonObject(value.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));

    // Ray's rule: these two go only through their own keys, or they would be counted twice.
    private static void CheckName(string name, string path, ConfigErrorCollector errors)
    {
        if (name is "CPU" or "GPU" or "memory")
            errors.Add($"{path}.{name}", $"'{name}' is not a custom resource; use num_cpus, num_gpus or memory");
    }
}
