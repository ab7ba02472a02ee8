using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>Default values in Ray Serve of keys that are not supported yet.</summary>
internal static class RayDefaultValues
{
    public static bool IsEmpty(JsonNode node) => node is JsonObject { Count: 0 } or JsonArray { Count: 0 };

    public static bool IsFalse(JsonNode node) => node.GetValueKind() == JsonValueKind.False;

    public static Func<JsonNode, bool> IsText(string text) => node => node is JsonValue value && value.TryGetValue<string>(out var got) && got == text;

    // Written by Ray's own `serve build`.
    public static bool IsDefaultLogging(JsonNode node) => node is JsonObject options && options.All(option => option.Key switch
    {
        "encoding" => option.Value is null || IsText("TEXT")(option.Value),
        "log_level" => option.Value is null || IsText("INFO")(option.Value),
        "enable_access_log" => option.Value is null || !IsFalse(option.Value),
        "logs_dir" => option.Value is null,
        "additional_log_standard_attrs" => option.Value is null || IsEmpty(option.Value),
        _ => false,
    });
}
