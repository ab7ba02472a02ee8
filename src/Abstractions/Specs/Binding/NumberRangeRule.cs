using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>A number within bounds.</summary>
internal sealed class NumberRangeRule(double least, double most, bool aboveLeast = false, bool wholeAboveOne = false, bool fourDecimals = false) : ConfigValueRule<double>
{
    /// <summary>The longest duration a setting takes, in seconds: about what a timer can wait.</summary>
    private const double LongestSeconds = 4_000_000;

    /// <summary>Seconds, zero allowed.</summary>
    public static NumberRangeRule Seconds { get; } = new(0, LongestSeconds);

    /// <summary>Seconds, more than zero.</summary>
    public static NumberRangeRule PositiveSeconds { get; } = new(0, LongestSeconds, aboveLeast: true);

    /// <summary>An amount of a resource.</summary>
    public static NumberRangeRule Amount { get; } = new(0, 1_000_000_000, fourDecimals: true);

    /// <summary>An amount of a device: a part of one, or whole ones.</summary>
    public static NumberRangeRule Devices { get; } = new(0, 1_000_000, wholeAboveOne: true, fourDecimals: true);

    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out double value)
    {
        value = 0;
        if (node?.GetValueKind() != JsonValueKind.Number
            || !double.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out value))
        {
            errors.Add(path, $"expected a number, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        var before = errors.Count;
        Check(value, path, errors);
        return errors.Count == before;
    }

    public override void Check(double value, string path, ConfigErrorCollector errors)
    {
        var inRange = (aboveLeast ? value > least : value >= least) && value <= most;
        if (!inRange)
            errors.Add(path, string.Create(CultureInfo.InvariantCulture, $"must be {(aboveLeast ? "more than" : "at least")} {least} and at most {most}, not {value}"));
        else if (wholeAboveOne && value > 1 && value != Math.Truncate(value))
            errors.Add(path, string.Create(CultureInfo.InvariantCulture, $"must be whole above 1, not {value}: a device is shared, or devices are taken whole"));
        else if (fourDecimals && HasMoreThanFourDecimals(value))
            errors.Add(path, string.Create(CultureInfo.InvariantCulture, $"must have at most four decimals, not {value}: amounts are kept to 0.0001"));
    }

    public override JsonNode? Write(double value) => JsonValue.Create(value);

    // Ledgers count in units of 0.0001; a smaller amount would silently be nothing.
    private static bool HasMoreThanFourDecimals(double value) => Math.Abs((value * 10_000) - Math.Round(value * 10_000)) > 1e-3;
}
