using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A whole number within bounds; 2.0 counts as one.</summary>
internal sealed class IntegerRangeRule<T>(T least, T most, string? notYet = null) : ConfigValueRule<T>
    where T : struct, IBinaryInteger<T>, IMinMaxValue<T>
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out T value)
    {
        value = default;
        if (node?.GetValueKind() == JsonValueKind.String && node.GetValue<string>() == notYet)
        {
            errors.Add(path, $"'{notYet}' is not supported yet; give a number");
            return false;
        }

        if (node?.GetValueKind() != JsonValueKind.Number
            || !decimal.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || number != decimal.Truncate(number))
        {
            errors.Add(path, $"expected an integer, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        if (number < decimal.CreateSaturating(least) || number > decimal.CreateSaturating(most))
        {
            errors.Add(path, Range(number.ToString(CultureInfo.InvariantCulture)));
            return false;
        }

        value = T.CreateChecked(number);
        return true;
    }

    public override void Check(T value, string path, ConfigErrorCollector errors)
    {
        if (value < least || value > most)
            errors.Add(path, Range(value.ToString(null, CultureInfo.InvariantCulture)));
    }

    public override JsonNode? Write(T value) => JsonValue.Create(long.CreateChecked(value));

    private string Range(string got) => most == T.MaxValue
        ? $"must be at least {least}, not {got}"
        : $"must be between {least} and {most}, not {got}";
}
