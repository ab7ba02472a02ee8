namespace Serve;

/// <summary>
/// A dense tensor in row-major order: what goes into a model and comes out of it. It refers to memory and copies none; whoever gives it away
/// leaves that memory unchanged for as long as it is in use.
/// </summary>
public abstract class Tensor
{
    private readonly long[] _shape;

    private protected Tensor(TensorType type, long[] shape, int length)
    {
        var count = CountOf(shape);
        if (count != length)
            throw new ArgumentException($"A tensor of shape [{string.Join(",", shape)}] has {count} elements; {length} came.", nameof(shape));
        (Type, this._shape) = (type, shape);
    }

    /// <summary>What its elements are.</summary>
    public TensorType Type { get; }

    /// <summary>The length of each dimension, the outermost first; empty for a scalar.</summary>
    public ReadOnlySpan<long> Shape => _shape;

    /// <summary>How many elements it has: the product of its shape.</summary>
    public abstract int Count { get; }

    /// <summary>Its elements as bytes in the machine's order, without a copy.</summary>
    /// <exception cref="NotSupportedException">It is of strings.</exception>
    public abstract ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Pins the elements in memory until the handle is disposed. Not for strings.</summary>
    /// <returns>The handle.</returns>
    public abstract System.Buffers.MemoryHandle Pin();

    /// <summary>A tensor over memory, without a copy.</summary>
    /// <typeparam name="T">One of the .NET types in <see cref="TensorType"/>.</typeparam>
    /// <param name="data">The elements in row-major order.</param>
    /// <param name="shape">The length of each dimension; none for one dimension of all elements.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">The shape has another number of elements, or a negative length.</exception>
    public static Tensor<T> Of<T>(Memory<T> data, params long[] shape) => new(data, shape.Length == 0 ? [data.Length] : shape);

    /// <inheritdoc cref="Of{T}(Memory{T}, long[])"/>
    public static Tensor<T> Of<T>(T[] data, params long[] shape) => Of(data.AsMemory(), shape);

    /// <summary>A tensor of one element and no dimension.</summary>
    /// <typeparam name="T">One of the .NET types in <see cref="TensorType"/>.</typeparam>
    /// <param name="value">The element.</param>
    /// <returns>The tensor, of shape <c>[]</c>.</returns>
    public static Tensor<T> Scalar<T>(T value) => new(new[] { value }, []);

    /// <summary>A tensor over the bytes of its elements, without a copy.</summary>
    /// <param name="type">What the elements are; not strings.</param>
    /// <param name="data">The bytes, in the machine's order.</param>
    /// <param name="shape">The length of each dimension.</param>
    /// <returns>The tensor.</returns>
    /// <exception cref="ArgumentException">The bytes do not add up.</exception>
    /// <exception cref="NotSupportedException">Strings have no fixed size.</exception>
    public static Tensor FromBytes(TensorType type, Memory<byte> data, params long[] shape) => type switch
    {
        TensorType.Bool => Over<bool>(data, shape),
        TensorType.UInt8 => new Tensor<byte>(data, shape),
        TensorType.UInt16 => Over<ushort>(data, shape),
        TensorType.UInt32 => Over<uint>(data, shape),
        TensorType.UInt64 => Over<ulong>(data, shape),
        TensorType.Int8 => Over<sbyte>(data, shape),
        TensorType.Int16 => Over<short>(data, shape),
        TensorType.Int32 => Over<int>(data, shape),
        TensorType.Int64 => Over<long>(data, shape),
        TensorType.Float16 => Over<Half>(data, shape),
        TensorType.BFloat16 => Over<BFloat16>(data, shape),
        TensorType.Float32 => Over<float>(data, shape),
        TensorType.Float64 => Over<double>(data, shape),
        _ => throw new NotSupportedException("Strings have no fixed size; make a tensor of a string array."),
    };

    /// <summary>Its elements, without a copy.</summary>
    /// <typeparam name="T">The .NET type of its <see cref="Type"/>.</typeparam>
    /// <returns>The elements in row-major order.</returns>
    /// <exception cref="InvalidCastException">Its elements are of another type.</exception>
    public Memory<T> Data<T>() => this is Tensor<T> typed
        ? typed.Values
        : throw new InvalidCastException($"The tensor's elements are {TensorTypes.NameOf(Type)} ({TensorTypes.ElementOf(Type).Name}), not {typeof(T).Name}.");

    /// <summary>A copy of its elements.</summary>
    /// <typeparam name="T">The .NET type of its <see cref="Type"/>.</typeparam>
    /// <returns>A new array in row-major order.</returns>
    /// <exception cref="InvalidCastException">Its elements are of another type.</exception>
    public T[] ToArray<T>() => Data<T>().ToArray();

    /// <summary>The same elements under another shape, without a copy.</summary>
    /// <param name="newShape">With as many elements.</param>
    /// <returns>A tensor over the same memory.</returns>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public abstract Tensor Reshape(params long[] newShape);

    /// <summary>Some of the outermost rows, without a copy.</summary>
    /// <param name="start">The first.</param>
    /// <param name="count">How many.</param>
    /// <returns>A tensor over the same memory, whose first dimension is <paramref name="count"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It has no such rows, or no dimension.</exception>
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
                throw new ArgumentException($"A tensor of shape [{string.Join(",", shape)}] cannot be: no length is negative.", nameof(shape));
            count = checked(count * length);
        }

        return count;
    }

    private static Tensor<T> Over<T>(Memory<byte> data, long[] shape)
        where T : unmanaged
    {
        var size = TensorTypes.SizeOf(TensorTypes.Of<T>());
        if (data.Length % size != 0)
            throw new ArgumentException($"{data.Length} bytes are no whole number of {TensorTypes.NameOf(TensorTypes.Of<T>())} elements of {size} bytes.", nameof(data));
        return new(new CastMemoryManager<T>(data).Memory, shape);
    }
}
