using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>Collects errors with their paths, so that all of them are reported at once.</summary>
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

    /// <summary>
    /// Adds an error for each object with a duplicate key, recursively. <see cref="JsonObject"/> itself throws on first access only.
    /// </summary>
    public void AddDuplicateKeys(JsonNode? node, string path = "")
    {
        switch (node)
        {
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                    AddDuplicateKeys(list[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"));
                break;
            case JsonObject json:
                try
                {
                    foreach (var (key, value) in json)
                        AddDuplicateKeys(value, path.Length == 0 ? key : $"{path}.{key}");
                }
                catch (ArgumentException e)
                {
                    Add(path, $"duplicate key: {e.Message}");
                }

                break;
        }
    }

    public void ThrowIfAny()
    {
        if (_errors.Count > 0)
            throw new DefinitionException(_errors);
    }

    private static string Shorten(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 57), "...");
}
