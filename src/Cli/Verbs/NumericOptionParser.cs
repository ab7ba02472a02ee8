using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Serve.Cli.Verbs;

/// <summary>Options whose values are numbers: what is no number, or out of its range, is told in one sentence. Holds no state.</summary>
internal static class NumericOptionParser
{
    /// <summary>An option that may be left out.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="helpName">What stands for the value in the help.</param>
    /// <param name="description">What it does, and what holds without it.</param>
    /// <param name="min">The smallest that is taken.</param>
    /// <param name="max">The largest.</param>
    /// <param name="expected">What is taken, for people.</param>
    public static Option<T?> Of<T>(string name, string helpName, string description, T min, T max, string expected)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result => Parse(result, name, min, max, expected),
        };

    /// <summary>Reads the value of an option or an argument; null when it is none, which the result is told.</summary>
    public static T? Parse<T>(ArgumentResult result, string name, T min, T max, string expected)
        where T : struct, INumber<T>
    {
        var text = result.Tokens[0].Value;
        if (T.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max)
            return number;
        result.AddError($"{name} {text}: expected {expected}.");
        return null;
    }
}
