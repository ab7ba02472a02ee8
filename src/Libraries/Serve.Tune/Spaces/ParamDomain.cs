namespace Serve.Tuning.Spaces;

/// <summary>Distribution of a parameter.</summary>
public abstract record ParamDomain
{
    private protected ParamDomain()
    {
    }

    /// <summary>Returns why the arguments are invalid; null if they are valid.</summary>
    internal abstract string? Problem { get; }
}

/// <summary>Distribution that maps numbers from 0 to 1 to values, so that models can search in a unit cube.</summary>
public abstract record ScalarDomain : ParamDomain
{
    private protected ScalarDomain()
    {
    }

    /// <summary>Returns the value at a position from 0 to 1.</summary>
    internal abstract object FromUnit(double position);

    /// <summary>Returns the position of a value.</summary>
    internal abstract double ToUnit(object value);

    private protected static double Number(object value) => Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A number between two bounds.</summary>
/// <param name="Low">The lower bound.</param>
/// <param name="High">The upper bound; exclusive for integers without <see cref="Quantum"/>.</param>
public sealed record NumericDomain(double Low, double High) : ScalarDomain
{
    /// <summary>Gets whether the logarithm is uniform.</summary>
    public bool IsLog { get; init; }

    /// <summary>Gets whether values are integers.</summary>
    public bool IsInteger { get; init; }

    /// <summary>Gets the number of which values are multiples; null without rounding.</summary>
    public double? Quantum { get; init; }

    internal override string? Problem =>
        !(double.IsFinite(Low) && double.IsFinite(High)) ? FormattableString.Invariant($"bounds must be finite, but were {Low} and {High}")
        : !(Low < High) ? FormattableString.Invariant($"low must be less than high, but was {Low} with high {High}")
        : IsLog && Low <= 0 ? FormattableString.Invariant($"low must be positive for a logarithmic distribution, but was {Low}")
        : Quantum is { } q && !(q > 0 && q <= High - Low) ? FormattableString.Invariant($"q must be positive and at most high - low, but was {q}")
        : null;

    internal override object FromUnit(double position)
    {
        var value = IsLog ? Math.Exp(Math.Log(Low) + (position * (Math.Log(High) - Math.Log(Low)))) : Low + (position * (High - Low));
        if (Quantum is { } q)
        {
            value = Math.Round(value / q) * q;
            value = value < Low ? value + q : value > High ? value - q : value;
        }
        else if (IsInteger)
        {
            value = Math.Min(Math.Floor(value), High - 1);
        }

        value = Math.Clamp(value, Low, High);
        return IsInteger ? (int)Math.Round(value) : value;
    }

    internal override double ToUnit(object value)
    {
        // The middle of the interval that maps to an integer.
        var number = Number(value) + (IsInteger && Quantum is null ? 0.5 : 0);
        var position = IsLog ? (Math.Log(number) - Math.Log(Low)) / (Math.Log(High) - Math.Log(Low)) : (number - Low) / (High - Low);
        return Math.Clamp(position, 0, 1);
    }
}

/// <summary>A number of a normal distribution. Models search it between the quantiles 0.001 and 0.999.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="StandardDeviation">The standard deviation.</param>
public sealed record NormalDomain(double Mean, double StandardDeviation) : ScalarDomain
{
    private const double Tail = 0.001;

    /// <summary>Gets the number of which values are multiples; null without rounding.</summary>
    public double? Quantum { get; init; }

    internal override string? Problem =>
        !(StandardDeviation > 0) || !double.IsFinite(StandardDeviation) || !double.IsFinite(Mean)
            ? FormattableString.Invariant($"the mean must be finite and the standard deviation positive, but were {Mean} and {StandardDeviation}")
        : Quantum is <= 0 ? FormattableString.Invariant($"q must be positive, but was {Quantum}")
        : null;

    internal override object FromUnit(double position)
    {
        var value = Mean + (StandardDeviation * NormalDistribution.Quantile(Tail + (position * (1 - (2 * Tail)))));
        return Quantum is { } q ? Math.Round(value / q) * q : value;
    }

    internal override double ToUnit(object value) => Math.Clamp((NormalDistribution.Cumulative((Number(value) - Mean) / StandardDeviation) - Tail) / (1 - (2 * Tail)), 0, 1);
}

/// <summary>One of several values.</summary>
/// <param name="Values">The values.</param>
public sealed record ChoiceDomain(IReadOnlyList<object> Values) : ParamDomain
{
    internal override string? Problem => Values is not { Count: > 0 } ? "Choice must have at least one value" : null;

    /// <summary>Returns the index of a value; -1 if it is no value of the choice.</summary>
    internal int IndexOf(object value)
    {
        for (var i = 0; i < Values.Count; i++)
        {
            if (Equals(Values[i], value))
                return i;
        }

        return -1;
    }
}

/// <summary>Each of several values.</summary>
/// <param name="Values">The values.</param>
public sealed record GridDomain(IReadOnlyList<object> Values) : ParamDomain
{
    internal override string? Problem => Values is not { Count: > 0 } ? "GridSearch must have at least one value" : null;
}

/// <summary>A value computed from other parameters.</summary>
/// <param name="Function">The function.</param>
public sealed record FunctionDomain(Func<ParamValues, object> Function) : ParamDomain
{
    internal override string? Problem => Function is null ? "SampleFrom must have a function" : null;
}

/// <summary>A parameter that exists only if a choice has a value.</summary>
/// <param name="Parameter">The name of the choice.</param>
/// <param name="Value">The value.</param>
/// <param name="Inner">The distribution.</param>
public sealed record ConditionalDomain(string Parameter, object Value, ParamDomain Inner) : ParamDomain
{
    internal override string? Problem => Inner is ConditionalDomain ? "When must not contain another When; nest parameter spaces instead" : Inner.Problem;
}
