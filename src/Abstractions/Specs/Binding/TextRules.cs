using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A text with a constraint.</summary>
/// <param name="findProblem">Returns why a text is invalid; null if it is valid.</param>
internal class ConstrainedTextRule(Func<string, string?> findProblem) : ConfigValueRule
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = null;
        if (node?.GetValueKind() != JsonValueKind.String)
        {
            errors.Add(path, $"expected a text, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        var before = errors.Count;
        value = node.GetValue<string>();
        Check(value, path, errors);
        return errors.Count == before;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors)
    {
        if (findProblem((string)value) is { } problem)
            errors.Add(path, problem);
    }

    public override JsonNode? Write(object value) => JsonValue.Create((string)value);
}

/// <summary>A list of texts with the same constraint.</summary>
/// <param name="item">Rule of each text.</param>
internal sealed class TextListRule(ConstrainedTextRule item) : ConfigValueRule
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = null;
        if (node is not JsonArray list)
        {
            errors.Add(path, $"expected a list, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        var before = errors.Count;
        value = list.Select((text, i) => item.TryRead(text, At(path, i), errors, out var read) ? (string)read! : "").ToArray();
        return errors.Count == before;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors)
    {
        foreach (var (i, text) in ((IReadOnlyList<string>)value).Index())
            item.Check(text, At(path, i), errors);
    }

    public override JsonNode? Write(object value) => new JsonArray([.. ((IReadOnlyList<string>)value).Select(item.Write)]);

    private static string At(string path, int index) => string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");
}

/// <summary>A route prefix, or null for an application without HTTP.</summary>
internal sealed class RoutePrefixRule() : ConstrainedTextRule(NameRules.RoutePrefixProblem)
{
    public override bool AcceptsNull => true;

    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = ApplicationConfig.NoRoute;
        return node is null || base.TryRead(node, path, errors, out value);
    }

    public override JsonNode? Write(object value) => value is ApplicationConfig.NoRoute ? null : base.Write(value);
}

/// <summary>True or false.</summary>
internal sealed class BooleanRule : ConfigValueRule
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = node?.GetValueKind() == JsonValueKind.True;
        if (node?.GetValueKind() is JsonValueKind.True or JsonValueKind.False)
            return true;
        errors.Add(path, $"expected true or false, got {ConfigErrorCollector.Describe(node)}");
        return false;
    }

    public override JsonNode? Write(object value) => JsonValue.Create((bool)value);
}

/// <summary>A value of an enum, in snake_case.</summary>
internal sealed class EnumValueRule(Type type) : ConfigValueRule
{
    private readonly Dictionary<string, object> _choices = Enum.GetValues(type).Cast<object>().ToDictionary(NameOf, StringComparer.OrdinalIgnoreCase);

    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = null;
        if (node?.GetValueKind() == JsonValueKind.String && _choices.TryGetValue(node.GetValue<string>(), out value))
            return true;
        errors.Add(path, $"expected one of {string.Join(", ", _choices.Keys)}, got {ConfigErrorCollector.Describe(node)}");
        return false;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors)
    {
        if (!Enum.IsDefined(type, value))
            errors.Add(path, $"must be one of {string.Join(", ", _choices.Keys)}, not {value}");
    }

    public override JsonNode? Write(object value) => JsonValue.Create(NameOf(value));

    private static string NameOf(object value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()!);
}
