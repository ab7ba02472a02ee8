namespace Serve;

/// <summary>Items that are a row each of a model's one input: which fit, and the tensor that they make. Rows of one open length may differ in it, and are filled up with zeros at the end.</summary>
/// <typeparam name="T">The element.</typeparam>
internal sealed class ItemRows<T>
{
    private const int None = -1;

    private readonly TensorSpec input;
    private readonly long[] inner;
    private readonly int open;
    private readonly long unit = 1;

    /// <exception cref="BadInputException">The input takes other elements, or has several open lengths within a row.</exception>
    public ItemRows(TensorSpec input)
    {
        this.input = input;
        if (TensorTypes.Of<T>() != input.Type)
            throw new BadInputException($"The model's input {input} takes {TensorTypes.NameOf(input.Type)}; items of {TensorTypes.NameOf(TensorTypes.Of<T>())} came.");
        inner = [.. input.Shape[1..]];
        open = Array.IndexOf(inner, -1L);
        if (open >= 0 && Array.IndexOf(inner, -1L, open + 1) >= 0)
            throw new BadInputException($"The model's input {input} has more than one open length after the first; give it as a tensor.");
        foreach (var length in inner)
            unit *= length < 0 ? 1 : length;
    }

    /// <summary>What is wrong with an item; null when it fits.</summary>
    public string? Misfit(T[]? item)
    {
        if (item is null)
            return "is null.";
        var fits = open == None ? item.Length == unit : unit > 0 && item.Length % unit == 0;
        return fits ? null : $"has {item.Length} elements; the model's input {input} takes {(open == None ? "" : "a multiple of ")}{unit} an item.";
    }

    /// <summary>Lays items that fit one behind the other.</summary>
    /// <exception cref="BadInputException">Their lengths differ where zeros at the end would not be zeros at the end of the open length.</exception>
    public Tensor<T> Join(IReadOnlyList<T[]> items, TensorBuffers buffers)
    {
        var longest = items.Max(item => item.Length);
        if (open > 0 && items.Any(item => item.Length != longest))
            throw new BadInputException($"The items differ in length, and the open length of {input} is not the first of an item; give them as one tensor.");
        var shape = input.Shape.ToArray();
        shape[0] = items.Count;
        if (open != None)
            shape[open + 1] = longest / unit;
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
