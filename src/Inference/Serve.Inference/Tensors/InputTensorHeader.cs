namespace Serve.Inference.Tensors;

/// <summary>What a request says of one of its inputs, beside the elements.</summary>
/// <param name="name">Its name; a stand-in for error texts while it is not known.</param>
internal sealed class InputTensorHeader(string name)
{
    /// <summary>The most dimensions a tensor may have.</summary>
    private const int MaxRank = 64;

    public string Name { get; set; } = name;

    public TensorType? Type { get; set; }

    public long[]? Shape { get; set; }

    /// <summary>How many bytes of the body's binary part are its elements; null when they are in the JSON.</summary>
    public long? BinarySize { get; set; }

    public Tensor? Tensor { get; set; }

    /// <summary>Reads the protocol's name of a type.</summary>
    public void SetType(string? datatype) => Type = datatype is not null && TensorTypes.TryParse(datatype, out var type)
        ? type
        : throw Fail($"datatype '{datatype}' is none of {string.Join(", ", TensorTypes.Names)}.");

    /// <summary>How many elements its shape has.</summary>
    /// <exception cref="BadInputException">It has none, a negative length, or more elements than can be.</exception>
    public int Count()
    {
        var shape = Shape ?? throw Fail("it has no shape.");
        if (shape.Length > MaxRank)
            throw Fail($"a shape of {shape.Length} dimensions is more than {MaxRank}.");
        var count = 1L;
        var isEmpty = false;
        foreach (var length in shape)
        {
            if (length < 0)
                throw Fail($"shape [{string.Join(",", shape)}] cannot be: no length is negative.");
            isEmpty |= length == 0;
            // Lengths up to 2^31 each: the product of two fits, and the first that is over ends it.
            if (length > int.MaxValue || (count *= Math.Max(length, 1)) > int.MaxValue)
                throw Fail($"shape [{string.Join(",", shape)}] has more than {int.MaxValue} elements.");
        }

        return isEmpty ? 0 : (int)count;
    }

    /// <summary>The tensor of these elements, which are as many as <see cref="Count"/> says. A shape without dimensions is one element.</summary>
    public Tensor<T> Over<T>(Memory<T> elements) => Shape is [] ? Serve.Tensor.Scalar(elements.Span[0]) : Serve.Tensor.Of(elements, Shape!);

    public TensorType RequireType() => Type ?? throw Fail("it has no datatype.");

    public BadInputException Fail(string what, Exception? inner = null) => new($"input '{Name}': {what}", inner);

    public override string ToString() => $"{(Type is { } type ? TensorTypes.NameOf(type) : "?")}[{string.Join(",", Shape ?? [])}]";
}
