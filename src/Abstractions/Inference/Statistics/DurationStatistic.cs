namespace Serve.Inference;

/// <summary>A count and the time it stands for, as Triton's statistics extension has it.</summary>
/// <param name="Count">How often it happened.</param>
/// <param name="Ns">How long it took in all, in nanoseconds.</param>
public readonly record struct DurationStatistic(long Count, long Ns)
{
    /// <summary>Both together.</summary>
    /// <param name="one">One.</param>
    /// <param name="other">The other.</param>
    /// <returns>Their sum.</returns>
    public static DurationStatistic operator +(DurationStatistic one, DurationStatistic other) => new(one.Count + other.Count, one.Ns + other.Ns);

    /// <inheritdoc cref="op_Addition"/>
    public static DurationStatistic Add(DurationStatistic left, DurationStatistic right) => left + right;
}
