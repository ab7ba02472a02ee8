using System.Runtime.InteropServices;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes arrays of unmanaged elements of any rank by their memory representation.</summary>
internal sealed class ArrayValueEncoder(Type arrayType) : ValueTypeEncoder
{
    private readonly Type _element = arrayType.GetElementType()!;
    private readonly int _elementSize = ValueTypeTraits.SizeOf(arrayType.GetElementType()!);

    public override unsafe EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var array = (Array)value;
        var lengths = array.Rank == 1 && array.GetLowerBound(0) == 0 ? null : Dimensions(array);
        fixed (byte* start = &MemoryMarshal.GetArrayDataReference(array))
            return codec.Store(new(EncodedValueFormat.Elements, declared, actual, lengths), start, array.LongLength * _elementSize);
    }

    public override unsafe object? Decode(EncodedObject stored, Type type)
    {
        if (stored is SharedMemoryObject shared)
            return shared.LoadArray(type, _element, _elementSize);
        var count = stored.Size / _elementSize;
        var array = stored.Shape.Lengths is { } lengths ? Array.CreateInstance(_element, lengths) : Array.CreateInstance(_element, count);
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
                throw new NotSupportedException("its lower bounds are not 0");
            lengths[dimension] = array.GetLongLength(dimension);
        }

        return lengths;
    }
}
