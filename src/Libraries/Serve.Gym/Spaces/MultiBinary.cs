namespace Serve.Rl.Spaces;

/// <summary>Arrays of booleans of one length.</summary>
public sealed class MultiBinary : Space<bool[]>
{
    /// <summary>Creates the space.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not positive.</exception>
    public MultiBinary(int count)
    {
        if (count < 1)
            throw new ArgumentOutOfRangeException(nameof(count), $"Count of MultiBinary must be at least 1, but was {count}.");
        Count = count;
    }

    /// <summary>Gets the number of elements.</summary>
    public int Count { get; }

    /// <inheritdoc />
    public override int FlatSize => Count;

    /// <inheritdoc />
    public override bool[] Sample()
    {
        var sample = new bool[Count];
        Random.NextBits(sample);
        return sample;
    }

    /// <inheritdoc />
    public override bool Contains(bool[] value) => value is not null && value.Length == Count;

    /// <inheritdoc />
    public override void Flatten(bool[] value, Span<float> target)
    {
        RequireTarget(target);
        if (!Contains(value))
            throw NotAnElement(value);
        for (var i = 0; i < value.Length; i++)
            target[i] = value[i] ? 1 : 0;
    }

    /// <inheritdoc />
    public override string ToString() => $"MultiBinary({Count})";
}
