using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Serve;

/// <summary>A tensor with elements of type <typeparamref name="T"/>.</summary>
/// <typeparam name="T">One of the .NET types in <see cref="TensorType"/>.</typeparam>
public sealed class Tensor<T> : Tensor
{
    /// <summary>Creates a tensor over existing memory, without a copy.</summary>
    /// <param name="values">The elements in row-major order.</param>
    /// <param name="shape">The shape, whose product is the number of elements.</param>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public Tensor(Memory<T> values, long[] shape)
        : base(TensorTypes.Of<T>(), shape, values.Length) => Values = values;

    /// <summary>Gets the elements in row-major order.</summary>
    public Memory<T> Values { get; }

    /// <inheritdoc/>
    public override int Count => Values.Length;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Bytes => TensorTypes.IsFlat<T>()
        ? MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(Values.Span)), Values.Length * Unsafe.SizeOf<T>())
        : throw new NotSupportedException("Strings have no fixed size.");

    /// <inheritdoc/>
    public override Tensor Reshape(params long[] newShape) => new Tensor<T>(Values, newShape);

    /// <inheritdoc/>
    public override Tensor Rows(long start, long count)
    {
        var rows = RowShape(start, count);
        var stride = Shape[0] == 0 ? 0 : Count / Shape[0];
        return new Tensor<T>(Values.Slice((int)(start * stride), (int)(count * stride)), rows);
    }

    /// <inheritdoc/>
    public override System.Buffers.MemoryHandle Pin() => Values.Pin();
}
