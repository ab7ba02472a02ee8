using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serve.Specs.Binding;

/// <summary>An integer within bounds; 2.0 is an integer.</summary>
internal sealed class IntegerRangeRule(long minimum, long maximum, Func<long, object> box) : ConfigValueRule
{
    // The bound of the type rather than of the setting is not worth mentioning.
    private readonly bool _hasMaximum = maximum is not (int.MaxValue or long.MaxValue);

    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = null;
        if (node?.GetValueKind() != JsonValueKind.Number
            || !decimal.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || number != decimal.Truncate(number))
        {
            errors.Add(path, $"expected an integer, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        if (number < minimum || number > maximum)
        {
            errors.Add(path, DescribeRange(number));
            return false;
        }

        value = box((long)number);
        return true;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors)
    {
        var number = Convert.ToInt64(value, CultureInfo.InvariantCulture);
        if (number < minimum || number > maximum)
            errors.Add(path, DescribeRange(number));
    }

    public override JsonNode? Write(object value) => JsonValue.Create(Convert.ToInt64(value, CultureInfo.InvariantCulture));

    private string DescribeRange(decimal number) => _hasMaximum
        ? string.Create(CultureInfo.InvariantCulture, $"must be between {minimum} and {maximum}, not {number}")
        : string.Create(CultureInfo.InvariantCulture, $"must be at least {minimum}, not {number}");
}

/// <summary>A number of replicas, or <c>auto</c>.</summary>
internal sealed class ReplicaCountRule(long minimum, long maximum) : ConfigValueRule
{
    private readonly IntegerRangeRule _number = new(minimum, maximum, static number => ReplicaCount.FromInt32((int)number));

    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        if (node?.GetValueKind() is not JsonValueKind.String)
            return _number.TryRead(node, path, errors, out value);
        value = ReplicaCount.Auto;
        if (node.GetValue<string>() == ReplicaCount.AutoText)
            return true;
        errors.Add(path, $"expected an integer or '{ReplicaCount.AutoText}', got {ConfigErrorCollector.Describe(node)}");
        return false;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors)
    {
        if (value is ReplicaCount { IsAuto: false } count)
            _number.Check(count.Number, path, errors);
    }

    public override JsonNode? Write(object value) =>
        value is ReplicaCount { IsAuto: true } ? JsonValue.Create(ReplicaCount.AutoText) : _number.Write(((ReplicaCount)value).Number);
}

/// <summary>A number within bounds.</summary>
internal sealed class NumberRangeRule(double maximum, bool isPositive = false, bool isWholeAboveOne = false, bool hasFourDecimals = false) : ConfigValueRule
{
    /// <summary>The longest duration of a setting, in seconds: about the longest that a timer supports.</summary>
    private const double MaxSeconds = 4_000_000;

    private const double MaxAmount = 1_000_000_000;
    private const double MaxDevices = 1_000_000;

    /// <summary>An amount of a resource, the values of <c>resources</c>.</summary>
    public static NumberRangeRule Amount { get; } = new(MaxAmount, hasFourDecimals: true);

    public static NumberRangeRule For(ConfigFormat format) => format switch
    {
        ConfigFormat.Seconds => new(MaxSeconds),
        ConfigFormat.PositiveSeconds => new(MaxSeconds, isPositive: true),
        ConfigFormat.ResourceAmount => Amount,
        ConfigFormat.PositiveAmount => new(MaxAmount, isPositive: true),
        ConfigFormat.Percent => new(100),
        ConfigFormat.Fraction => new(1),
        ConfigFormat.DeviceAmount => new(MaxDevices, isWholeAboveOne: true, hasFourDecimals: true),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Not a format of numbers."),
    };

    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        value = null;
        if (node?.GetValueKind() != JsonValueKind.Number
            || !double.TryParse(node.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            errors.Add(path, $"expected a number, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        var before = errors.Count;
        value = number;
        Check(value, path, errors);
        return errors.Count == before;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors)
    {
        var number = (double)value;
        var isInRange = (isPositive ? number > 0 : number >= 0) && number <= maximum;
        if (!isInRange)
            errors.Add(path, string.Create(CultureInfo.InvariantCulture, $"must be {(isPositive ? "more than" : "at least")} 0 and at most {maximum}, not {number}"));
        else if (isWholeAboveOne && number > 1 && number != Math.Truncate(number))
            errors.Add(path, string.Create(CultureInfo.InvariantCulture, $"must be an integer if above 1, not {number}: a GPU is either shared or reserved as a whole"));
        else if (hasFourDecimals && HasMoreThanFourDecimals(number))
            errors.Add(path, string.Create(CultureInfo.InvariantCulture, $"must have at most four decimals, not {number}: amounts are kept to 0.0001"));
    }

    public override JsonNode? Write(object value) => JsonValue.Create((double)value);

    // Ledgers count in units of 0.0001; a smaller amount would silently be zero.
    private static bool HasMoreThanFourDecimals(double value) => Math.Abs((value * 10_000) - Math.Round(value * 10_000)) > 1e-3;
}

/// <summary>Amounts of custom resources by name; two sources are merged name by name.</summary>
internal sealed class ResourceAmountsRule : ConfigValueRule
{
    public override bool TryRead(JsonNode? node, string path, ConfigErrorCollector errors, out object? value)
    {
        var amounts = new SortedDictionary<string, double>(StringComparer.Ordinal);
        value = amounts;
        if (node is not JsonObject entries)
        {
            errors.Add(path, $"expected an object of amounts by name, got {ConfigErrorCollector.Describe(node)}");
            return false;
        }

        var before = errors.Count;
        foreach (var (name, amount) in entries)
        {
            if (NumberRangeRule.Amount.TryRead(amount, $"{path}.{name}", errors, out var number))
                amounts[name] = (double)number!;
            CheckName(name, path, errors);
        }

        return errors.Count == before;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors)
    {
        foreach (var (name, amount) in Amounts(value))
        {
            NumberRangeRule.Amount.Check(amount, $"{path}.{name}", errors);
            CheckName(name, path, errors);
        }
    }

    public override object Merge(object lower, object upper)
    {
        var merged = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var (name, amount) in Amounts(lower).Concat(Amounts(upper)))
            merged[name] = amount;
        return merged;
    }

    public override JsonNode? Write(object value) =>
        new JsonObject(Amounts(value).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)JsonValue.Create(pair.Value))));

    private static IReadOnlyDictionary<string, double> Amounts(object value) => (IReadOnlyDictionary<string, double>)value;

    // As in Ray: these have keys of their own, and would be counted twice.
    private static void CheckName(string name, string path, ConfigErrorCollector errors)
    {
        if (name is "CPU" or "GPU" or "memory")
            errors.Add($"{path}.{name}", $"'{name}' is not a custom resource; use num_cpus, num_gpus or memory");
    }
}

/// <summary>A list of numbers with the same bounds.</summary>
/// <param name="item">Rule of each number.</param>
internal sealed class NumberListRule(NumberRangeRule item) : ConfigValueRule
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
        value = list.Select((number, i) => item.TryRead(number, At(path, i), errors, out var read) ? (double)read! : 0).ToArray();
        return errors.Count == before;
    }

    public override void Check(object value, string path, ConfigErrorCollector errors)
    {
        foreach (var (i, number) in ((IReadOnlyList<double>)value).Index())
            item.Check(number, At(path, i), errors);
    }

    public override JsonNode? Write(object value) => new JsonArray([.. ((IReadOnlyList<double>)value).Select(static number => (JsonNode?)JsonValue.Create(number))]);

    private static string At(string path, int index) => string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");
}
