namespace Serve.Rl.Spaces;

/// <summary>The integers from <see cref="Start"/> to <see cref="Start"/> + <see cref="Count"/> - 1.</summary>
public sealed class Discrete : Space<int>
{
    /// <summary>Creates the space.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not positive.</exception>
    public Discrete(int count, int start = 0)
    {
        if (count < 1)
            throw new ArgumentOutOfRangeException(nameof(count), $"Count of Discrete must be at least 1, but was {count}.");
        (Count, Start) = (count, start);
    }

    /// <summary>Gets the number of elements.</summary>
    public int Count { get; }

    /// <summary>Gets the smallest element.</summary>
    public int Start { get; }

    /// <inheritdoc />
    public override int FlatSize => Count;

    /// <inheritdoc />
    public override int Sample() => Start + (int)Random.NextInteger(Count);

    /// <summary>Draws a random element among those with a true mask; <see cref="Start"/> if the mask is false everywhere.</summary>
    /// <exception cref="ArgumentException">The mask does not have <see cref="Count"/> elements.</exception>
    public int Sample(ReadOnlySpan<bool> mask)
    {
        if (mask.Length != Count)
            throw new ArgumentException($"Mask must have {Count} elements for {this}, but had {mask.Length}.", nameof(mask));
        var valid = mask.Count(true);
        if (valid == 0)
            return Start;
        var remaining = Random.NextInteger(valid);
        var index = mask.IndexOf(true);
        for (; remaining > 0; remaining--)
            index += mask[(index + 1)..].IndexOf(true) + 1;
        return Start + index;
    }

    /// <inheritdoc />
    public override bool Contains(int value) => value >= Start && value - (long)Start < Count;

    /// <inheritdoc />
    public override void Flatten(int value, Span<float> target)
    {
        RequireTarget(target);
        if (!Contains(value))
            throw NotAnElement(value);
        target.Clear();
        target[value - Start] = 1;
    }

    /// <inheritdoc />
    public override string ToString() => Start == 0 ? $"Discrete({Count})" : $"Discrete({Count}, start: {Start})";
}
