using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>One of the values of an enum, in snake_case.</summary>
internal sealed class EnumValueRule<T> : ConfigValueRule<T>
    where T : struct, Enum
{
    private static readonly Dictionary<string, T> Choices = Enum.GetValues<T>()
        .ToDictionary(value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));

    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out T value)
    {
        value = default;
        if (node?.GetValueKind() == JsonValueKind.String && Choices.TryGetValue(node.GetValue<string>(), out value))
            return true;
        errors.Add(path, $"expected one of {string.Join(", ", Choices.Keys)}, got {ConfigErrorCollector.Describe(node)}");
        return false;
    }

    public override void Check(T value, string path, ConfigErrorCollector errors)
    {
        if (!Enum.IsDefined(value))
            errors.Add(path, $"must be one of {string.Join(", ", Choices.Keys)}, not {value}");
    }

    public override JsonNode? Write(T value) => JsonValue.Create(JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));
}
