using System.Globalization;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>Finds keys that stand twice in one object. <see cref="JsonObject"/> throws when it is first looked into, which may be late.</summary>
internal static class DuplicateKeyDetector
{
    public static void FindDuplicates(JsonNode? node, string path, ConfigErrorCollector errors)
    {
        switch (node)
        {
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                    FindDuplicates(list[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), errors);
                break;
            case JsonObject json when IsSound(json, path, errors):
                foreach (var (key, value) in json)
                    FindDuplicates(value, path.Length == 0 ? key : $"{path}.{key}", errors);
                break;
        }
    }

    private static bool IsSound(JsonObject json, string path, ConfigErrorCollector errors)
    {
        try
        {
            return json.Count >= 0;
        }
        catch (ArgumentException e)
        {
            errors.Add(path, $"a key stands twice: {e.Message}");
            return false;
        }
    }
}
