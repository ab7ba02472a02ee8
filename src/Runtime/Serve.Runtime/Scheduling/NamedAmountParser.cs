using System.Collections.Immutable;
using System.Globalization;

namespace Serve.Runtime.Scheduling;

/// <summary>Parses resource names and amounts in attribute syntax, <c>"tpu=1, disk=0.5"</c>.</summary>
public static class NamedAmountParser
{
    /// <summary>Parses a text.</summary>
    /// <exception cref="ArgumentException">The text is malformed.</exception>
    public static ImmutableDictionary<string, T> Parse<T>(string? text)
        where T : IParsable<T>
    {
        var amounts = ImmutableDictionary<string, T>.Empty;
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var sides = part.Split('=', StringSplitOptions.TrimEntries);
            if (sides.Length != 2 || sides[0].Length == 0 || !T.TryParse(sides[1], CultureInfo.InvariantCulture, out var amount))
                throw new ArgumentException($"\"{text}\" is malformed at '{part}'. Expected the form \"name=1, other=2\".", nameof(text));
            amounts = amounts.SetItem(sides[0], amount);
        }

        return amounts;
    }
}
