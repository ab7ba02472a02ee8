namespace Serve;

/// <summary>Conversion of items to rows of a model's only input. Rows with one open length may differ in it; shorter rows are padded with zeros at the end.</summary>
/// <typeparam name="T">The element.</typeparam>
internal sealed class ModelItemRows<T>
{
    private const int None = -1;

    private readonly TensorSpec _input;
    private readonly long[] _inner;
    private readonly int _open;
    private readonly long _unit = 1;

    /// <exception cref="BadInputException">The input has another element type, or several open lengths within a row.</exception>
    public ModelItemRows(TensorSpec input)
    {
        _input = input;
        if (TensorTypes.Of<T>() != input.Type)
            throw new BadInputException($"Items for the input {input} must be {TensorTypes.NameOf(input.Type)}, but were {TensorTypes.NameOf(TensorTypes.Of<T>())}.");
        _inner = [.. input.Shape[1..]];
        _open = Array.IndexOf(_inner, -1L);
        if (_open >= 0 && Array.IndexOf(_inner, -1L, _open + 1) >= 0)
            throw new BadInputException($"The model's input {input} has several open dimensions after the first; pass a tensor instead of items.");
        foreach (var length in _inner)
            _unit *= length < 0 ? 1 : length;
    }

    /// <summary>Returns why an item does not match; null if it matches.</summary>
    public string? Misfit(T[]? item)
    {
        if (item is null)
            return "is null.";
        var fits = _open == None ? item.Length == _unit : _unit > 0 && item.Length % _unit == 0;
        return fits ? null : $"has {item.Length} elements, but the input {_input} requires {(_open == None ? "" : "a multiple of ")}{_unit} per item.";
    }

    /// <summary>Concatenates matching items.</summary>
    /// <exception cref="BadInputException">The lengths differ, but the open length is not the first of an item.</exception>
    public Tensor<T> Join(IReadOnlyList<T[]> items, PooledTensorBuffers buffers)
    {
        var longest = items.Max(item => item.Length);
        if (_open > 0 && items.Any(item => item.Length != longest))
            throw new BadInputException($"The items differ in length, but the open dimension of {_input} is not the first of an item; pass a tensor instead of items.");
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

    /// <summary>Splits a result into the elements of its rows.</summary>
    /// <exception cref="InferenceException">The number of rows differs from the number of items.</exception>
    public static T[][] Part(Tensor joined, int count)
    {
        var data = joined.Data<T>().Span;
        if (joined.Shape.Length == 0 || joined.Shape[0] != count)
            throw new InferenceException($"The first length of the output must be {count}, the number of items, but the output is {joined}.");
        var width = data.Length / count;
        var parts = new T[count][];
        for (var index = 0; index < count; index++)
            parts[index] = data.Slice(index * width, width).ToArray();
        return parts;
    }
}
