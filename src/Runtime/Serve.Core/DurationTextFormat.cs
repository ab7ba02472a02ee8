using System.Globalization;

namespace Serve;

/// <summary>Durations as text: a number with the unit <c>us</c>, <c>ms</c>, <c>s</c>, <c>m</c> or <c>h</c>; only zero needs no unit. The source generator compiles this file too.</summary>
public static class DurationTextFormat
{
    /// <summary>The expected form, for error messages.</summary>
    public const string Expected = "a number with a unit, like \"5ms\", \"0.5s\" or \"200us\"";

    private static readonly (string Unit, double Ticks)[] Units =
    [
        ("us", TimeSpan.TicksPerMillisecond / 1000d),
        ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour),
    ];

    /// <summary>Formats a duration for display.</summary>
    /// <param name="span">The duration.</param>
    /// <returns>For instance <c>1.25 ms</c>.</returns>
    public static string Of(TimeSpan span) => FormattableString.Invariant(span.TotalSeconds switch
    {
        < 0.001 => (FormattableString)$"{span.Ticks / Units[0].Ticks:0.#} us",
        < 1 => $"{span.TotalMilliseconds:0.##} ms",
        < 120 => $"{span.TotalSeconds:0.##} s",
        _ => $"{span:d\\.hh\\:mm\\:ss}",
    });

#pragma warning disable CA1846 // netstandard2.0, which the generator targets, has no span overload.
    /// <summary>Parses a duration of at most one day.</summary>
    /// <param name="text">The text.</param>
    /// <param name="duration">The duration.</param>
    /// <returns>Whether the text is valid.</returns>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        var trimmed = (text ?? "").Trim();
        if (trimmed == "0")
            return true;
        foreach (var (unit, ticks) in Units)
        {
            if (!trimmed.EndsWith(unit, StringComparison.Ordinal)
                || !double.TryParse(trimmed.Substring(0, trimmed.Length - unit.Length), NumberStyles.AllowDecimalPoint | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number))
            {
                continue;
            }

            var total = number * ticks;
            if (total > TimeSpan.TicksPerDay)
                return false;
            duration = new TimeSpan((long)Math.Round(total));
            return true;
        }

        return false;
    }
#pragma warning restore CA1846
}
