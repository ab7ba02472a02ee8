using System.Collections.Immutable;
using System.Globalization;

namespace Serve.Runtime.Tasks;

/// <summary>Reads custom resources as attributes write them, <c>"tpu=1, disk=0.5"</c>.</summary>
internal static class CustomResources
{
    /// <exception cref="ArgumentException">It is not of that form.</exception>
    public static ImmutableDictionary<string, double> Parse(string? text)
    {
        var resources = ImmutableDictionary<string, double>.Empty;
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var sides = part.Split('=', StringSplitOptions.TrimEntries);
            if (sides.Length != 2 || sides[0].Length == 0 || !double.TryParse(sides[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var amount))
                throw new ArgumentException($"Resources \"{text}\" cannot be read at '{part}': write them as \"tpu=1, disk=0.5\".", nameof(text));
            resources = resources.SetItem(sides[0], amount);
        }

        return resources;
    }
}
