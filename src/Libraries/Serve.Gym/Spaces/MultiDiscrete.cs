namespace Serve.Rl.Spaces;

/// <summary>Arrays of integers; element i is between 0 and <c>counts[i]</c> - 1.</summary>
public sealed class MultiDiscrete : Space<int[]>
{
    private readonly int[] _counts;

    /// <summary>Creates the space.</summary>
    /// <exception cref="ArgumentException">There is no count, or a count is not positive.</exception>
    public MultiDiscrete(params int[] counts)
    {
        ArgumentNullException.ThrowIfNull(counts);
        if (counts.Length == 0 || Array.Exists(counts, count => count < 1))
            throw new ArgumentException($"Counts of MultiDiscrete must be at least 1, but were ({string.Join(", ", counts)}).", nameof(counts));
        _counts = [.. counts];
    }

    /// <summary>Gets the number of values of each element.</summary>
    public ReadOnlySpan<int> Counts => _counts;

    /// <inheritdoc />
    public override int FlatSize => _counts.Sum();

    /// <inheritdoc />
    public override int[] Sample() => Array.ConvertAll(_counts, count => (int)(Random.NextDouble() * count));

    /// <inheritdoc />
    public override bool Contains(int[] value)
    {
        if (value is null || value.Length != _counts.Length)
            return false;
        for (var i = 0; i < value.Length; i++)
        {
            if ((uint)value[i] >= (uint)_counts[i])
                return false;
        }

        return true;
    }

    /// <inheritdoc />
    public override void Flatten(int[] value, Span<float> target)
    {
        RequireTarget(target);
        if (!Contains(value))
            throw NotAnElement(value);
        target.Clear();
        for (var (i, offset) = (0, 0); i < value.Length; offset += _counts[i++])
            target[offset + value[i]] = 1;
    }

    /// <inheritdoc />
    public override string ToString() => $"MultiDiscrete({string.Join(", ", _counts)})";
}
