namespace Serve.Rl.Spaces;

/// <summary>Tuples with an element of each of several spaces, in order.</summary>
public sealed class TupleSpace : Space<object[]>
{
    private readonly Space[] _parts;

    /// <summary>Creates the space.</summary>
    /// <exception cref="ArgumentException">There is no part.</exception>
    public TupleSpace(params Space[] parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Length == 0)
            throw new ArgumentException("TupleSpace must have at least one part, but had none.", nameof(parts));
        _parts = [.. parts];
    }

    /// <summary>Gets the spaces of the elements.</summary>
    public IReadOnlyList<Space> Parts => _parts;

    /// <inheritdoc />
    public override int FlatSize => _parts.Sum(part => part.FlatSize);

    /// <inheritdoc />
    public override void Seed(ulong seed)
    {
        base.Seed(seed);
        foreach (var part in _parts)
            part.Seed((ulong)Random.NextInteger(int.MaxValue));
    }

    /// <inheritdoc />
    public override object[] Sample() => Array.ConvertAll(_parts, part => part.Sample());

    /// <inheritdoc />
    public override bool Contains(object[] value) => value is not null && value.Length == _parts.Length && _parts.Index().All(part => part.Item.Contains(value[part.Index]));

    /// <inheritdoc />
    public override void Flatten(object[] value, Span<float> target)
    {
        RequireTarget(target);
        if (!Contains(value))
            throw NotAnElement(value);
        for (var (i, offset) = (0, 0); i < value.Length; offset += _parts[i++].FlatSize)
            _parts[i].Flatten(value[i], target.Slice(offset, _parts[i].FlatSize));
    }

    /// <inheritdoc />
    public override string ToString() => $"Tuple({string.Join(", ", _parts.AsEnumerable())})";
}

/// <summary>Dictionaries with an element of a space for each key. The order of the keys is the order of samples and of flattened values.</summary>
public sealed class DictSpace : Space<IReadOnlyDictionary<string, object>>
{
    private readonly (string Key, Space Space)[] _parts;

    /// <summary>Creates the space.</summary>
    /// <exception cref="ArgumentException">There is no part, or a key occurs twice.</exception>
    public DictSpace(params (string Key, Space Space)[] parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        if (parts.Length == 0 || parts.DistinctBy(part => part.Key).Count() != parts.Length)
            throw new ArgumentException($"DictSpace must have at least one part and distinct keys, but the keys were ({string.Join(", ", parts.Select(part => part.Key))}).", nameof(parts));
        _parts = [.. parts];
    }

    /// <summary>Gets the keys with their spaces.</summary>
    public IReadOnlyList<(string Key, Space Space)> Parts => _parts;

    /// <inheritdoc />
    public override int FlatSize => _parts.Sum(part => part.Space.FlatSize);

    /// <inheritdoc />
    public override void Seed(ulong seed)
    {
        base.Seed(seed);
        foreach (var (_, space) in _parts)
            space.Seed((ulong)Random.NextInteger(int.MaxValue));
    }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, object> Sample() => _parts.ToDictionary(part => part.Key, part => part.Space.Sample());

    /// <inheritdoc />
    public override bool Contains(IReadOnlyDictionary<string, object> value) =>
        value is not null && value.Count == _parts.Length && Array.TrueForAll(_parts, part => value.TryGetValue(part.Key, out var element) && part.Space.Contains(element));

    /// <inheritdoc />
    public override void Flatten(IReadOnlyDictionary<string, object> value, Span<float> target)
    {
        RequireTarget(target);
        if (!Contains(value))
            throw NotAnElement(value);
        for (var (i, offset) = (0, 0); i < _parts.Length; offset += _parts[i++].Space.FlatSize)
            _parts[i].Space.Flatten(value[_parts[i].Key], target.Slice(offset, _parts[i].Space.FlatSize));
    }

    /// <inheritdoc />
    public override string ToString() => $"Dict({string.Join(", ", _parts.Select(part => $"{part.Key}: {part.Space}"))})";
}
