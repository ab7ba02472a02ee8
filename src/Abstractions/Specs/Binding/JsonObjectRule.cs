using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>An object of the user's own form; two sources merge key by key, lists whole.</summary>
internal sealed class JsonObjectRule : ConfigValueRule<JsonObject>
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out JsonObject value)
    {
        value = [];
        if (node is not JsonObject)
        {
            errors.Add(path, $"expected an object, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        value = (JsonObject)node.DeepClone();
        return true;
    }

    public override JsonObject Merge(JsonObject under, JsonObject over)
    {
        var merged = (JsonObject)under.DeepClone();
        foreach (var (key, value) in over)
            merged[key] = value is JsonObject above && merged[key] is JsonObject below ? Merge(below, above) : value?.DeepClone();
        return merged;
    }

    public override JsonNode? Write(JsonObject value) => value.DeepClone();
}
