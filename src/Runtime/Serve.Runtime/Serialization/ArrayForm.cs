using System.Runtime.InteropServices;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Serialization;

/// <summary>Arrays of unmanaged elements, of any rank, as they lie in memory.</summary>
internal sealed class ArrayForm(Type arrayType) : ValueForm
{
    private readonly Type element = arrayType.GetElementType()!;
    private readonly int elementSize = ValueTypes.SizeOf(arrayType.GetElementType()!);

    public override unsafe EncodedObject Encode(ValueCodec codec, Type declared, Type? actual, object value)
    {
        var array = (Array)value;
        var lengths = array.Rank == 1 && array.GetLowerBound(0) == 0 ? null : Dimensions(array);
        fixed (byte* start = &MemoryMarshal.GetArrayDataReference(array))
            return codec.Store(new(ValueFormat.Elements, declared, actual, lengths), start, array.LongLength * elementSize);
    }

    public override unsafe object? Decode(EncodedObject stored, Type type)
    {
        if (stored is SharedObject shared)
            return shared.LoadArray(type, element, elementSize);
        var count = stored.Size / elementSize;
        var array = stored.Shape.Lengths is { } lengths ? Array.CreateInstance(element, lengths) : Array.CreateInstance(element, count);
        using var view = stored.Open();
        fixed (byte* start = &MemoryMarshal.GetArrayDataReference(array))
            Buffer.MemoryCopy(view.Pointer, start, view.Length, view.Length);
        return array;
    }

    private static long[] Dimensions(Array array)
    {
        var lengths = new long[array.Rank];
        for (var dimension = 0; dimension < lengths.Length; dimension++)
        {
            if (array.GetLowerBound(dimension) != 0)
                throw new NotSupportedException("its indexes do not begin at 0");
            lengths[dimension] = array.GetLongLength(dimension);
        }

        return lengths;
    }
}
