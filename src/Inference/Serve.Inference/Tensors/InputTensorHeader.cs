namespace Serve.Inference.Tensors;

/// <summary>Name, datatype and shape of an input in a request.</summary>
/// <param name="name">Name of the input; a placeholder for error messages until it is known.</param>
internal sealed class InputTensorHeader(string name)
{
    /// <summary>Maximum number of dimensions.</summary>
    private const int MaxRank = 64;

    public string Name { get; set; } = name;

    public TensorType? Type { get; set; }

    public long[]? Shape { get; set; }

    /// <summary>Gets or sets the size of the elements in the binary part of the body; null if they are in the JSON.</summary>
    public long? BinarySize { get; set; }

    public Tensor? Tensor { get; set; }

    /// <summary>Sets the datatype by its name in the protocol.</summary>
    public void SetType(string? datatype) => Type = datatype is not null && TensorTypes.TryParse(datatype, out var type)
        ? type
        : throw Fail($"unknown datatype '{datatype}'. Valid datatypes: {string.Join(", ", TensorTypes.Names)}.");

    /// <summary>Returns the number of elements of the shape.</summary>
    /// <exception cref="BadInputException">The shape is missing, has a negative length or too many elements.</exception>
    public int Count()
    {
        var shape = Shape ?? throw Fail("shape is missing.");
        if (shape.Length > MaxRank)
            throw Fail($"a shape of {shape.Length} dimensions is more than {MaxRank}.");
        var count = 1L;
        var isEmpty = false;
        foreach (var length in shape)
        {
            if (length < 0)
                throw Fail($"shape [{string.Join(",", shape)}] must not contain negative lengths.");
            isEmpty |= length == 0;
            // No overflow: each length is below 2^31, and the first product above that throws.
            if (length > int.MaxValue || (count *= Math.Max(length, 1)) > int.MaxValue)
                throw Fail($"shape [{string.Join(",", shape)}] has more than {int.MaxValue} elements.");
        }

        return isEmpty ? 0 : (int)count;
    }

    /// <summary>Creates the tensor of <see cref="Count"/> elements; a scalar for a shape without dimensions.</summary>
    public Tensor<T> Over<T>(Memory<T> elements) => Shape is [] ? Serve.Tensor.Scalar(elements.Span[0]) : Serve.Tensor.Of(elements, Shape!);

    public TensorType RequireType() => Type ?? throw Fail("datatype is missing.");

    public BadInputException Fail(string what, Exception? inner = null) => new($"input '{Name}': {what}", inner);

    public override string ToString() => $"{(Type is { } type ? TensorTypes.NameOf(type) : "?")}[{string.Join(",", Shape ?? [])}]";
}
