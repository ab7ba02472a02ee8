namespace Serve;

/// <summary>
/// A dense tensor in row-major order. It refers to memory without a copy; do not change that memory
/// while the tensor is in use.
/// </summary>
public abstract class Tensor
{
    private readonly long[] _shape;

    private protected Tensor(TensorType type, long[] shape, int length)
    {
        var count = CountOf(shape);
        if (count != length)
            throw new ArgumentException($"A tensor of shape [{string.Join(",", shape)}] must have {count} elements, but has {length}.", nameof(shape));
        (Type, _shape) = (type, shape);
    }

    /// <summary>Gets the datatype of the elements.</summary>
    public TensorType Type { get; }

    /// <summary>Gets the length of each dimension, the outermost first; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>Gets the number of elements.</summary>
    public abstract int Count { get; }

    /// <summary>Gets the elements as bytes in the machine's byte order, without a copy.</summary>
    /// <exception cref="NotSupportedException">The elements are strings.</exception>
    public abstract ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Pins the elements in memory until the handle is disposed. Not for strings.</summary>
    /// <returns>The handle.</returns>
    public abstract System.Buffers.MemoryHandle Pin();

    /// <summary>Creates a tensor over memory, without a copy.</summary>
    /// <typeparam name="T">One of the .NET types in <see cref="TensorType"/>.</typeparam>
    /// <param name="data">The elements in row-major order.</param>
    /// <param name="shape">Length of each dimension; empty for one dimension with all elements.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">The shape has another number of elements or a negative length.</exception>
    public static Tensor<T> Of<T>(Memory<T> data, params long[] shape) => new(data, shape.Length == 0 ? [data.Length] : shape);

    /// <inheritdoc cref="Of{T}(Memory{T}, long[])"/>
    public static Tensor<T> Of<T>(T[] data, params long[] shape) => Of(data.AsMemory(), shape);

    /// <summary>Creates a tensor with one element and no dimension.</summary>
    /// <typeparam name="T">One of the .NET types in <see cref="TensorType"/>.</typeparam>
    /// <param name="value">The element.</param>
    /// <returns>The tensor, of shape <c>[]</c>.</returns>
    public static Tensor<T> Scalar<T>(T value) => new(new[] { value }, []);

    /// <summary>Creates a tensor over the bytes of its elements, without a copy.</summary>
    /// <param name="type">Datatype of the elements; not strings.</param>
    /// <param name="data">The bytes, in the machine's byte order.</param>
    /// <param name="shape">The length of each dimension.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">The number of bytes does not match the shape.</exception>
    /// <exception cref="NotSupportedException">The datatype is <see cref="TensorType.String"/>.</exception>
    public static Tensor FromBytes(TensorType type, Memory<byte> data, params long[] shape) =>
        TensorTypes.Dispatch<FromBytesOperation, Tensor>(type, new(data, shape));

    /// <summary>Gets the elements, without a copy.</summary>
    /// <typeparam name="T">The .NET type of its <see cref="Type"/>.</typeparam>
    /// <returns>The elements in row-major order.</returns>
    /// <exception cref="InvalidCastException">The elements have another type.</exception>
    public Memory<T> Data<T>() => this is Tensor<T> typed
        ? typed.Values
        : throw new InvalidCastException($"The tensor's elements are {TensorTypes.NameOf(Type)} ({TensorTypes.ElementOf(Type).Name}), not {typeof(T).Name}.");

    /// <summary>Copies the elements.</summary>
    /// <typeparam name="T">The .NET type of its <see cref="Type"/>.</typeparam>
    /// <returns>A new array in row-major order.</returns>
    /// <exception cref="InvalidCastException">The elements have another type.</exception>
    public T[] ToArray<T>() => Data<T>().ToArray();

    /// <summary>Returns a tensor with the same elements and another shape, without a copy.</summary>
    /// <param name="newShape">A shape with as many elements.</param>
    /// <returns>A tensor over the same memory.</returns>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public abstract Tensor Reshape(params long[] newShape);

    /// <summary>Returns a range of the outermost rows, without a copy.</summary>
    /// <param name="start">Index of the first row.</param>
    /// <param name="count">Number of rows.</param>
    /// <returns>A tensor over the same memory, whose first dimension is <paramref name="count"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rows do not exist, or the tensor is a scalar.</exception>
    public abstract Tensor Rows(long start, long count);

    /// <inheritdoc/>
    public override string ToString() => $"{TensorTypes.NameOf(Type)}[{string.Join(",", _shape)}]";

    private protected long[] RowShape(long start, long count)
    {
        if (_shape.Length == 0)
            throw new ArgumentOutOfRangeException(nameof(start), "A scalar has no rows.");
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + count, _shape[0]);
        return [count, .. _shape.AsSpan(1)];
    }

    private static long CountOf(long[] shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var count = 1L;
        foreach (var length in shape)
        {
            if (length < 0)
                throw new ArgumentException($"A tensor of shape [{string.Join(",", shape)}] must not contain negative lengths.", nameof(shape));
            count = checked(count * length);
        }

        return count;
    }

    private readonly struct FromBytesOperation(Memory<byte> data, long[] shape) : ITensorOperation<Tensor>
    {
        public Tensor Invoke<T>()
            where T : unmanaged
        {
            if (typeof(T) == typeof(byte))
                return new Tensor<byte>(data, shape);
            var size = TensorTypes.SizeOf(TensorTypes.Of<T>());
            if (data.Length % size != 0)
                throw new ArgumentException($"{data.Length} bytes are not a whole number of {TensorTypes.NameOf(TensorTypes.Of<T>())} elements of {size} bytes.", nameof(data));
            return new Tensor<T>(new CastMemoryManager<T>(data).Memory, shape);
        }
    }
}
