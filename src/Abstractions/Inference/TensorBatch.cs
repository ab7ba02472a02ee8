using System.Diagnostics.CodeAnalysis;

namespace Serve;

/// <summary>Concatenation of tensors along the first dimension, and splitting of the results.</summary>
public static class TensorBatch
{
    /// <summary>Concatenates tensors along their first dimension. A single tensor is returned without a copy.</summary>
    /// <param name="items">Tensors of one datatype, with equal lengths except for the first, unless <paramref name="padding"/> is true.</param>
    /// <param name="padding">Whether shorter items are padded with zeros or empty strings at the end of each dimension in which lengths differ.</param>
    /// <returns>A tensor whose first length is the sum of the first lengths.</returns>
    /// <exception cref="BadInputException">An item has another datatype or shape than the first one; names the item.</exception>
    public static Tensor Join(IReadOnlyList<Tensor> items, bool padding = false) => Join(items, padding, buffers: null);

    /// <summary>Concatenates tensors into pooled memory.</summary>
    /// <param name="items">Tensors of one datatype, with equal lengths except for the first, unless <paramref name="padding"/> is true.</param>
    /// <param name="padding">Whether shorter items are padded.</param>
    /// <param name="buffers">Owner of the new tensor's memory; null for a new array.</param>
    public static Tensor Join(IReadOnlyList<Tensor> items, bool padding, PooledTensorBuffers? buffers)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfZero(items.Count);
        if (items.Count == 1)
            return items[0];
        var shape = JoinedShape(items, padding);
        return items[0] is Tensor<string> ? Join<string>(items, shape, buffers) : TensorTypes.Dispatch<JoinOperation, Tensor>(items[0].Type, new(items, shape, buffers));
    }

    /// <summary>Splits a tensor along its first dimension, without a copy.</summary>
    /// <param name="joined">The tensor.</param>
    /// <param name="rows">Number of rows of each part.</param>
    /// <returns>One tensor per part, over the same memory.</returns>
    /// <exception cref="ArgumentException">The rows do not add up to the first length of the tensor.</exception>
    public static Tensor[] Split(Tensor joined, IReadOnlyList<long> rows)
    {
        ArgumentNullException.ThrowIfNull(joined);
        ArgumentNullException.ThrowIfNull(rows);
        if (joined.Shape.Length == 0 || joined.Shape[0] != rows.Sum())
            throw new ArgumentException($"{joined} cannot be split into {rows.Sum()} rows.", nameof(rows));
        var parts = new Tensor[rows.Count];
        var start = 0L;
        for (var index = 0; index < parts.Length; start += rows[index++])
            parts[index] = joined.Rows(start, rows[index]);
        return parts;
    }

    private static long[] JoinedShape(IReadOnlyList<Tensor> items, bool padding)
    {
        var shape = items[0].Shape.ToArray();
        if (shape.Length == 0)
            throw new BadInputException("Scalars cannot be concatenated: they have no dimension.");
        for (var index = 1; index < items.Count; index++)
        {
            var item = items[index];
            if (item.Type != items[0].Type || item.Shape.Length != shape.Length)
                ThrowUnlike(items, index);
            shape[0] += item.Shape[0];
            for (var dimension = 1; dimension < shape.Length; dimension++)
            {
                if (shape[dimension] == item.Shape[dimension])
                    continue;
                if (!padding)
                    ThrowUnlike(items, index);
                shape[dimension] = Math.Max(shape[dimension], item.Shape[dimension]);
            }
        }

        return shape;
    }

    [DoesNotReturn]
    private static void ThrowUnlike(IReadOnlyList<Tensor> items, int index) =>
        throw new BadInputException($"Item {index} is {items[index]}, but item 0 is {items[0]}: they cannot be concatenated along the first dimension.");

    private static Tensor<T> Join<T>(IReadOnlyList<Tensor> items, long[] shape, PooledTensorBuffers? buffers)
    {
        var count = 1L;
        foreach (var length in shape)
            count = checked(count * length);
        var joined = buffers is null ? GC.AllocateUninitializedArray<T>(checked((int)count)) : buffers.Rent<T>(checked((int)count));
        var rest = joined.Span;
        var row = 1L;
        foreach (var length in shape.AsSpan(1))
            row *= length;
        foreach (var item in items)
        {
            var target = rest[..(int)(item.Shape[0] * row)];
            rest = rest[target.Length..];
            var source = item.Data<T>().Span;
            if (item.Shape[1..].SequenceEqual(shape.AsSpan(1)))
                source.CopyTo(target);
            else
                CopyPadded(source, item.Shape, target, shape, 0);
        }

        return new(joined, shape);
    }

    // Copies dimension by dimension: the first length is the item's, the others are those of the joined tensor.
    private static void CopyPadded<T>(ReadOnlySpan<T> source, ReadOnlySpan<long> from, Span<T> target, ReadOnlySpan<long> to, int dimension)
    {
        if (dimension == from.Length - 1)
        {
            source.CopyTo(target);
            Pad(target[source.Length..]);
            return;
        }

        var length = (int)from[dimension];
        var sourceStride = length == 0 ? 0 : source.Length / length;
        var targetLength = dimension == 0 ? length : (int)to[dimension];
        var targetStride = targetLength == 0 ? 0 : target.Length / targetLength;
        for (var index = 0; index < length; index++)
            CopyPadded(source.Slice(index * sourceStride, sourceStride), from, target.Slice(index * targetStride, targetStride), to, dimension + 1);
        Pad(target[(length * targetStride)..]);
    }

    // Padding of strings is empty, not null.
    internal static void Pad<T>(Span<T> rest)
    {
        if (typeof(T) == typeof(string))
            rest.Fill((T)(object)"");
        else
            rest.Clear();
    }

    private readonly struct JoinOperation(IReadOnlyList<Tensor> items, long[] shape, PooledTensorBuffers? buffers) : ITensorOperation<Tensor>
    {
        public Tensor Invoke<T>()
            where T : unmanaged => Join<T>(items, shape, buffers);
    }
}
