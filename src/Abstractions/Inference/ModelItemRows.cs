namespace Serve;

/// <summary>Items that are a row each of a model's one input: which fit, and the tensor that they make. Rows of one open length may differ in it, and are filled up with zeros at the end.</summary>
/// <typeparam name="T">The element.</typeparam>
internal sealed class ModelItemRows<T>
{
    private const int None = -1;

    private readonly TensorSpec _input;
    private readonly long[] _inner;
    private readonly int _open;
    private readonly long _unit = 1;

    /// <exception cref="BadInputException">The input takes other elements, or has several open lengths within a row.</exception>
    public ModelItemRows(TensorSpec input)
    {
        this._input = input;
        if (TensorTypes.Of<T>() != input.Type)
            throw new BadInputException($"The model's input {input} takes {TensorTypes.NameOf(input.Type)}; items of {TensorTypes.NameOf(TensorTypes.Of<T>())} came.");
        _inner = [.. input.Shape[1..]];
        _open = Array.IndexOf(_inner, -1L);
        if (_open >= 0 && Array.IndexOf(_inner, -1L, _open + 1) >= 0)
            throw new BadInputException($"The model's input {input} has more than one open length after the first; give it as a tensor.");
        foreach (var length in _inner)
            _unit *= length < 0 ? 1 : length;
    }

    /// <summary>What is wrong with an item; null when it fits.</summary>
    public string? Misfit(T[]? item)
    {
        if (item is null)
            return "is null.";
        var fits = _open == None ? item.Length == _unit : _unit > 0 && item.Length % _unit == 0;
        return fits ? null : $"has {item.Length} elements; the model's input {_input} takes {(_open == None ? "" : "a multiple of ")}{_unit} an item.";
    }

    /// <summary>Lays items that fit one behind the other.</summary>
    /// <exception cref="BadInputException">Their lengths differ where zeros at the end would not be zeros at the end of the open length.</exception>
    public Tensor<T> Join(IReadOnlyList<T[]> items, PooledTensorBuffers buffers)
    {
        var longest = items.Max(item => item.Length);
        if (_open > 0 && items.Any(item => item.Length != longest))
            throw new BadInputException($"The items differ in length, and the open length of {_input} is not the first of an item; give them as one tensor.");
        var shape = _input.Shape.ToArray();
        shape[0] = items.Count;
        if (_open != None)
            shape[_open + 1] = longest / _unit;
        var joined = buffers.Rent<T>(checked(items.Count * longest));
        for (var index = 0; index < items.Count; index++)
        {
            var target = joined.Span.Slice(index * longest, longest);
            items[index].CopyTo(target);
            TensorBatch.Pad(target[items[index].Length..]);
        }

        return new(joined, shape);
    }

    /// <summary>The elements of each row of a result.</summary>
    /// <exception cref="InferenceException">It does not have as many rows as there were items.</exception>
    public static T[][] Part(Tensor joined, int count)
    {
        var data = joined.Data<T>().Span;
        if (joined.Shape.Length == 0 || joined.Shape[0] != count)
            throw new InferenceException($"The model gave {joined} for {count} items; its first length was to be {count}.");
        var width = data.Length / count;
        var parts = new T[count][];
        for (var index = 0; index < count; index++)
            parts[index] = data.Slice(index * width, width).ToArray();
        return parts;
    }
}
