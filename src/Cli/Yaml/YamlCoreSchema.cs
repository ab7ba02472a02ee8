using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Serve.Cli.Yaml;

/// <summary>Core schema of YAML 1.2: types of unquoted scalars.</summary>
internal static partial class YamlCoreSchema
{
    /// <summary>Reads an unquoted scalar.</summary>
    /// <param name="text">The scalar as written.</param>
    /// <param name="value">The value; null for null.</param>
    /// <returns>False if the scalar is a number that JSON cannot represent.</returns>
    public static bool TryRead(string text, out JsonNode? value)
    {
        value = null;
        if (text is "" or "~" or "null" or "Null" or "NULL")
            return true;
        if (text is "true" or "True" or "TRUE" or "false" or "False" or "FALSE")
        {
            value = text[0] is 't' or 'T';
            return true;
        }

        if (Unbounded().IsMatch(text))
            return false;
        if (Integer().IsMatch(text) && ReadInteger(text, out value))
            return true;
        value = Float().IsMatch(text) ? ReadFloat(text) : JsonValue.Create(text);
        return value is not null;
    }

    /// <summary>Returns whether a text remains a text when it is written without quotes.</summary>
    /// <param name="text">The text.</param>
    public static bool IsText(string text) =>
        TryRead(text, out var value) && value is JsonValue scalar && scalar.GetValueKind() == System.Text.Json.JsonValueKind.String;

    private static bool ReadInteger(string text, out JsonNode? value)
    {
        value = null;
        var read = text.Length > 2 && text[..2] is "0x" or "0o"
            ? TryReadBased(text[2..], text[1] == 'x' ? 16 : 8, out var number)
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
        if (read)
            value = number;
        return read;
    }

    private static bool TryReadBased(string digits, int @base, out long number)
    {
        try
        {
            number = Convert.ToInt64(digits, @base);
            return true;
        }
        catch (OverflowException)
        {
            number = 0;
            return false;
        }
    }

    private static JsonValue? ReadFloat(string text)
    {
        var number = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(number) ? JsonValue.Create(number) : null;
    }

    [GeneratedRegex(@"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Integer();

    [GeneratedRegex(@"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Float();

    [GeneratedRegex(@"^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$", RegexOptions.CultureInvariant)]
    private static partial Regex Unbounded();
}
