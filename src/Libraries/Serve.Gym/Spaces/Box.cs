namespace Serve.Rl.Spaces;

/// <summary>Arrays of floats of one shape with a lower and an upper bound for each element; bounds can be infinite. Arrays are stored in row-major order.</summary>
public sealed class Box : Space<float[]>
{
    private readonly float[] _low;
    private readonly float[] _high;

    /// <summary>Creates a box with equal bounds for all elements.</summary>
    /// <param name="low">The lower bound.</param>
    /// <param name="high">The upper bound.</param>
    /// <param name="shape">The size of each dimension.</param>
    /// <exception cref="ArgumentException">A bound is NaN, the lower bound exceeds the upper one, or a dimension is not positive.</exception>
    public Box(float low, float high, params int[] shape)
        : this(Repeated(low, shape), Repeated(high, shape), shape)
    {
    }

    /// <summary>Creates a box with a bound for each element.</summary>
    /// <param name="low">The lower bounds.</param>
    /// <param name="high">The upper bounds.</param>
    /// <param name="shape">The size of each dimension; null for one dimension.</param>
    /// <exception cref="ArgumentException">A bound is NaN, a lower bound exceeds its upper one, or the lengths and the shape differ.</exception>
    public Box(float[] low, float[] high, int[]? shape = null)
    {
        ArgumentNullException.ThrowIfNull(low);
        ArgumentNullException.ThrowIfNull(high);
        Shape = shape ?? [low.Length];
        if (low.Length != high.Length || low.Length != Size(Shape))
            throw new ArgumentException($"Bounds of Box must have one element for each of shape ({string.Join(", ", Shape)}), but low had {low.Length} and high had {high.Length} elements.");
        for (var i = 0; i < low.Length; i++)
        {
            if (!(low[i] <= high[i]))
                throw new ArgumentException(FormattableString.Invariant($"Bounds of Box must satisfy low <= high, but element {i} was low {low[i]}, high {high[i]}."));
        }

        (_low, _high) = ([.. low], [.. high]);
    }

    /// <summary>Gets the size of each dimension.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Gets the lower bounds.</summary>
    public ReadOnlySpan<float> Low => _low;

    /// <summary>Gets the upper bounds.</summary>
    public ReadOnlySpan<float> High => _high;

    /// <inheritdoc />
    public override int FlatSize => _low.Length;

    /// <summary>
    /// Draws each element: uniformly within two bounds, from a shifted exponential distribution with one bound, from the normal distribution without bounds. Only the uniform elements equal
    /// Gymnasium's for the same seed.
    /// </summary>
    public override float[] Sample()
    {
        var sample = new float[_low.Length];
        Fill(false, false, (_, _) => Random.NextNormal());
        Fill(true, false, (low, _) => low + Random.NextExponential());
        Fill(false, true, (_, high) => high - Random.NextExponential());
        Fill(true, true, Random.NextUniform);
        return sample;

        void Fill(bool isBoundedBelow, bool isBoundedAbove, Func<double, double, double> draw)
        {
            for (var i = 0; i < sample.Length; i++)
            {
                if (!float.IsInfinity(_low[i]) == isBoundedBelow && !float.IsInfinity(_high[i]) == isBoundedAbove)
                    sample[i] = (float)draw(_low[i], _high[i]);
            }
        }
    }

    /// <inheritdoc />
    public override bool Contains(float[] value)
    {
        if (value is null || value.Length != _low.Length)
            return false;
        for (var i = 0; i < value.Length; i++)
        {
            if (!(value[i] >= _low[i] && value[i] <= _high[i]))
                return false;
        }

        return true;
    }

    /// <inheritdoc />
    public override void Flatten(float[] value, Span<float> target)
    {
        ArgumentNullException.ThrowIfNull(value);
        RequireTarget(target);
        if (value.Length != target.Length)
            throw NotAnElement(value);
        value.CopyTo(target);
    }

    /// <inheritdoc />
    public override string ToString() => _low.Distinct().Count() == 1 && _high.Distinct().Count() == 1
        ? FormattableString.Invariant($"Box({_low[0]}, {_high[0]}, ({string.Join(", ", Shape)}))")
        : FormattableString.Invariant($"Box(({string.Join(", ", Shape)}))");

    internal override bool IsUsableAction(float[] value) => value is not null && value.Length == _low.Length && Array.TrueForAll(value, float.IsFinite);

    private static float[] Repeated(float value, int[] shape)
    {
        var values = new float[Size(shape)];
        Array.Fill(values, value);
        return values;
    }

    private static int Size(IReadOnlyList<int> shape)
    {
        var size = 1;
        foreach (var dimension in shape)
            size = dimension > 0 ? checked(size * dimension) : throw new ArgumentException($"Dimensions of Box must be positive, but the shape was ({string.Join(", ", shape)}).", nameof(shape));
        return size;
    }
}
