using System.Diagnostics.CodeAnalysis;

namespace Serve;

/// <summary>Lays items one behind the other along the first dimension, and takes results apart again.</summary>
public static class TensorBatch
{
    /// <summary>Joins tensors along their first dimension. With one tensor there is nothing to copy.</summary>
    /// <param name="items">Of one type, with equal lengths but for the first, or for <paramref name="padding"/>.</param>
    /// <param name="padding">Whether shorter items are filled up with zeros (or empty strings) at the end of each dimension in which lengths differ.</param>
    /// <returns>A tensor whose first length is the sum of theirs.</returns>
    /// <exception cref="BadInputException">An item is of another type or shape than the first; says which.</exception>
    public static Tensor Join(IReadOnlyList<Tensor> items, bool padding = false) => Join(items, padding, buffers: null);

    /// <summary>The same in memory that is used again.</summary>
    /// <param name="items">Of one type, with equal lengths but for the first, or for <paramref name="padding"/>.</param>
    /// <param name="padding">Whether shorter items are filled up.</param>
    /// <param name="buffers">Where the tensor's memory comes from, and ends; null for memory of its own.</param>
    public static Tensor Join(IReadOnlyList<Tensor> items, bool padding, PooledTensorBuffers? buffers)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfZero(items.Count);
        if (items.Count == 1)
            return items[0];
        var shape = JoinedShape(items, padding);
        return items[0] switch
        {
            Tensor<bool> => Join<bool>(items, shape, buffers),
            Tensor<byte> => Join<byte>(items, shape, buffers),
            Tensor<ushort> => Join<ushort>(items, shape, buffers),
            Tensor<uint> => Join<uint>(items, shape, buffers),
            Tensor<ulong> => Join<ulong>(items, shape, buffers),
            Tensor<sbyte> => Join<sbyte>(items, shape, buffers),
            Tensor<short> => Join<short>(items, shape, buffers),
            Tensor<int> => Join<int>(items, shape, buffers),
            Tensor<long> => Join<long>(items, shape, buffers),
            Tensor<Half> => Join<Half>(items, shape, buffers),
            Tensor<BFloat16> => Join<BFloat16>(items, shape, buffers),
            Tensor<float> => Join<float>(items, shape, buffers),
            Tensor<double> => Join<double>(items, shape, buffers),
            _ => Join<string>(items, shape, buffers),
        };
    }

    /// <summary>Takes a tensor apart along its first dimension, without a copy.</summary>
    /// <param name="joined">The tensor.</param>
    /// <param name="rows">How many rows each part has.</param>
    /// <returns>A tensor for each, over the same memory.</returns>
    /// <exception cref="ArgumentException">The rows do not add up to the tensor's.</exception>
    public static Tensor[] Split(Tensor joined, IReadOnlyList<long> rows)
    {
        ArgumentNullException.ThrowIfNull(joined);
        ArgumentNullException.ThrowIfNull(rows);
        if (joined.Shape.Length == 0 || joined.Shape[0] != rows.Sum())
            throw new ArgumentException($"{joined} cannot be divided into {rows.Sum()} rows.", nameof(rows));
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
            throw new BadInputException("Scalars cannot be joined: they have no dimension.");
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
        throw new BadInputException($"Item {index} is {items[index]}, item 0 is {items[0]}: they cannot be joined along the first dimension.");

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

    // Dimension by dimension; the first is the item's own, the others the joined one's.
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

    // Strings that are not there are empty, not null.
    internal static void Pad<T>(Span<T> rest)
    {
        if (typeof(T) == typeof(string))
            rest.Fill((T)(object)"");
        else
            rest.Clear();
    }
}
