using System.Collections;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A JSON object of any shape; two sources are merged key by key, recursively, except for lists.</summary>
internal sealed class JsonObjectRule : ConfigValueRule
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = (node as JsonObject)?.DeepClone();
        if (value is null)
            errors.Add(path, $"expected an object, got {ConfigErrorCollector.Describe(node)}");
        return value is not null;
    }

    public override object Merge(object lower, object upper) => Merge((JsonObject)lower, (JsonObject)upper);

    public override JsonNode? Write(object value) => ((JsonObject)value).DeepClone();

    private static JsonObject Merge(JsonObject lower, JsonObject upper)
    {
        var merged = (JsonObject)lower.DeepClone();
        foreach (var (key, value) in upper)
            merged[key] = value is JsonObject above && merged[key] is JsonObject below ? Merge(below, above) : value?.DeepClone();
        return merged;
    }
}

/// <summary>A settings object with a table of its own; two sources are merged key by key.</summary>
internal sealed class NestedTableRule(ConfigKeyTable table) : ConfigValueRule
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = table.Read(node, path, errors);
        return true;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors) => table.Check(value, path, errors);

    public override object Merge(object lower, object upper) => table.Merge(lower, upper);

    public override JsonNode? Write(object value) => table.Write(value);
}

/// <summary>A list of settings objects.</summary>
internal sealed class ObjectListRule(Type type, ConfigKeyTable table) : ConfigValueRule
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = null;
        if (node is not JsonArray list)
        {
            errors.Add(path, $"expected a list, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        // Invalid items are kept: duplicate names among them are errors too.
        var items = Array.CreateInstance(type, list.Count);
        for (var i = 0; i < list.Count; i++)
            items.SetValue(table.Read(list[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), errors), i);
        value = items;
        return true;
    }

    public override JsonNode? Write(object value) => new JsonArray([.. ((IEnumerable)value).Cast<object>().Select(item => (JsonNode?)table.Write(item))]);
}
