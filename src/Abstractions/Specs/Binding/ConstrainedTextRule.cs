using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A text of a certain form.</summary>
/// <param name="problem">What is wrong with a text; null when nothing is.</param>
internal class ConstrainedTextRule(Func<string, string?> problem) : ConfigValueRule<string>
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out string value)
    {
        value = "";
        if (node?.GetValueKind() != JsonValueKind.String)
        {
            errors.Add(path, $"expected a text, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        value = node.GetValue<string>();
        var before = errors.Count;
        Check(value, path, errors);
        return errors.Count == before;
    }

    public override void Check(string value, string path, ConfigErrorCollector errors)
    {
        if (problem(value) is { } message)
            errors.Add(path, message);
    }

    public override JsonNode? Write(string value) => JsonValue.Create(value);
}
