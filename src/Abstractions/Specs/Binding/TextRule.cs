using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A text of a certain form.</summary>
/// <param name="problem">What is wrong with a text; null when nothing is.</param>
internal class TextRule(Func<string, string?> problem) : ValueRule<string>
{
    public override bool TryRead(JsonNode? node, string path, ErrorList errors, out string value)
    {
        value = "";
        if (node?.GetValueKind() != JsonValueKind.String)
        {
            errors.Add(path, $"expected a text, got {ErrorList.Describe(node)}");
            return false;
        }

        value = node.GetValue<string>();
        var before = errors.Count;
        Check(value, path, errors);
        return errors.Count == before;
    }

    public override void Check(string value, string path, ErrorList errors)
    {
        if (problem(value) is { } message)
            errors.Add(path, message);
    }

    public override JsonNode? Write(string value) => JsonValue.Create(value);
}
