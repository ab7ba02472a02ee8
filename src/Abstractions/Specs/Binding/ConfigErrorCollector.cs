using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>Collects errors with their places, so that all are told at once.</summary>
internal sealed class ConfigErrorCollector
{
    private readonly List<string> _errors = [];

    public int Count => _errors.Count;

    public static string Describe(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.String => $"the text '{Shorten(node.GetValue<string>())}'",
        JsonValueKind.Number => $"the number {Shorten(node.ToJsonString())}",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => "null",
    };

    public void Add(string path, string message) => _errors.Add(path.Length == 0 ? message : $"{path}: {message}");

    public void ThrowIfAny()
    {
        if (_errors.Count > 0)
            throw new DefinitionException(_errors);
    }

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");
}
