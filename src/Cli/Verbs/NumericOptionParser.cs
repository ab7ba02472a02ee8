using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Serve.Cli.Verbs;

/// <summary>Creates options with numeric values, and validates their ranges.</summary>
internal static class NumericOptionParser
{
    /// <summary>Creates an optional option.</summary>
    /// <param name="name">Name of the option.</param>
    /// <param name="helpName">Placeholder for the value in the help.</param>
    /// <param name="description">Help text, including the default.</param>
    /// <param name="min">Smallest allowed value.</param>
    /// <param name="max">Largest allowed value.</param>
    /// <param name="expected">Human-readable description of allowed values.</param>
    public static Option<T?> Of<T>(string name, string helpName, string description, T min, T max, string expected)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result => Parse(result, name, min, max, expected),
        };

    /// <summary>Parses a percent, with or without its sign; adds an error to the result and returns null if it is invalid.</summary>
    public static double? ParsePercent(ArgumentResult result, string name)
    {
        var text = result.Tokens[0].Value;
        if (double.TryParse(text.TrimEnd().TrimEnd('%'), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 100)
            return number;
        result.AddError($"{name} must be a percent from 0 to 100, but was '{text}'.");
        return null;
    }

    /// <summary>Parses the value of an option or argument; adds an error to the result and returns null if it is invalid.</summary>
    public static T? Parse<T>(ArgumentResult result, string name, T min, T max, string expected)
        where T : struct, INumber<T>
    {
        var text = result.Tokens[0].Value;
        if (T.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
            return number;
        result.AddError($"{name} must be {expected}, but was '{text}'.");
        return null;
    }
}
