using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>One-dimensional arrays. Large arrays of unmanaged elements are stored next to the graph.</summary>
internal sealed class ArrayObjectCodec<T>(GraphCodecSet codecs) : ObjectCodec(typeof(T[]))
{
    private readonly bool _isRaw = codecs.IsRaw(typeof(T));
    private MemberCodec<T>? _element;

    private MemberCodec<T> Element => _element ??= codecs.Member<T>();

    public override void Write(GraphWriter writer, object value)
    {
        var array = (T[])value;
        if (_isRaw)
            writer.OnRawArray(array);
        if (!_isRaw)
        {
            writer.WriteInt(array.Length);
            var element = Element;
            foreach (var item in array)
                element.Write(writer, item);
        }
        else if (writer.StoresNextToGraph((long)array.Length * Unsafe.SizeOf<T>()))
        {
            writer.WriteInt(0);
            writer.WriteInt(writer.AddArray(array));
        }
        else
        {
            writer.WriteInt(array.Length + 1);
            writer.WriteBytes(RawElements.Bytes(array.AsSpan()));
        }
    }

    public override object Read(GraphReader reader, int id)
    {
        if (_isRaw)
        {
            var raw = ReadRaw(reader);
            reader.SetObject(id, raw);
            return raw;
        }

        var element = Element;
        var array = new T[reader.ReadCount(element.MinimumSize)];
        reader.SetObject(id, array);
        for (var index = 0; index < array.Length; index++)
            array[index] = element.Read(reader);
        return array;
    }

    private static Array ReadRaw(GraphReader reader)
    {
        var length = reader.ReadInt() - 1;
        if (length < 0)
            return reader.ReadArray(reader.ReadInt(), typeof(T[]));
        var bytes = reader.ReadBytes((long)length * Unsafe.SizeOf<T>());
        var array = new T[length];
        bytes.CopyTo(RawElements.Bytes(array.AsSpan()));
        return array;
    }
}

/// <summary>Arrays of several dimensions, or whose indexes do not start at 0.</summary>
internal sealed class MultiDimensionalArrayObjectCodec(GraphCodecSet codecs, Type type) : ObjectCodec(type)
{
    private readonly Type _elementType = type.GetElementType()!;
    private readonly MemberCodec _element = codecs.Member(type.GetElementType()!);

    public override void Write(GraphWriter writer, object value)
    {
        var array = (Array)value;
        if (codecs.IsRaw(_elementType))
            writer.OnRawArray(array);
        var isBeside = codecs.IsRaw(_elementType) && HasZeroBounds(array) && writer.StoresNextToGraph(array.LongLength * ValueTypeTraits.SizeOf(_elementType));
        writer.WriteInt(isBeside ? writer.AddArray(array) : 0);
        if (isBeside)
            return;
        for (var dimension = 0; dimension < array.Rank; dimension++)
        {
            writer.WriteInt(array.GetLength(dimension));
            writer.WriteInt(array.GetLowerBound(dimension));
        }

        foreach (var item in array)
            _element.WriteObject(writer, item);
    }

    public override object Read(GraphReader reader, int id)
    {
        var position = reader.ReadInt();
        var array = position > 0 ? reader.ReadArray(position, Type) : CreateEmpty(reader);
        reader.SetObject(id, array);
        if (position > 0 || array.Length == 0)
            return array;
        var bounds = Enumerable.Range(0, array.Rank).Select(array.GetLowerBound).ToArray();
        var index = (int[])bounds.Clone();
        for (var rest = array.Length; rest > 0; rest--)
        {
            array.SetValue(_element.ReadObject(reader), index);
            for (var dimension = array.Rank - 1; dimension >= 0 && ++index[dimension] == bounds[dimension] + array.GetLength(dimension); dimension--)
                index[dimension] = bounds[dimension];
        }

        return array;
    }

    private static bool HasZeroBounds(Array array) => Enumerable.Range(0, array.Rank).All(dimension => array.GetLowerBound(dimension) == 0);

    private Array CreateEmpty(GraphReader reader)
    {
        var (lengths, bounds, elements) = (new int[Type.GetArrayRank()], new int[Type.GetArrayRank()], 1L);
        for (var dimension = 0; dimension < lengths.Length; dimension++)
        {
            lengths[dimension] = reader.ReadInt();
            bounds[dimension] = reader.ReadInt();
            elements = lengths[dimension] < 0 ? throw GraphReader.Damaged() : checked(elements * lengths[dimension]);
        }

        reader.CheckCount(elements, _element.MinimumSize);
        return Array.CreateInstance(_elementType, lengths, bounds);
    }
}

/// <summary>Lists, without their spare capacity.</summary>
internal sealed class ListObjectCodec<T>(GraphCodecSet codecs) : ObjectCodec(typeof(List<T>))
{
    private readonly bool _isRaw = codecs.IsRaw(typeof(T));
    private MemberCodec<T>? _element;

    private MemberCodec<T> Element => _element ??= codecs.Member<T>();

    public override void Write(GraphWriter writer, object value)
    {
        var items = CollectionsMarshal.AsSpan((List<T>)value);
        writer.WriteInt(items.Length);
        if (_isRaw)
        {
            writer.WriteBytes(RawElements.Bytes(items));
            return;
        }

        var element = Element;
        foreach (var item in items)
            element.Write(writer, item);
    }

    public override object Read(GraphReader reader, int id)
    {
        var count = reader.ReadCount(_isRaw ? Unsafe.SizeOf<T>() : Element.MinimumSize);
        var list = new List<T>(count);
        reader.SetObject(id, list);
        CollectionsMarshal.SetCount(list, count);
        var items = CollectionsMarshal.AsSpan(list);
        if (_isRaw)
        {
            reader.ReadBytes((long)count * Unsafe.SizeOf<T>()).CopyTo(RawElements.Bytes(items));
            return list;
        }

        items.Clear();
        var element = Element;
        for (var index = 0; index < count; index++)
            items[index] = element.Read(reader);
        return list;
    }
}

/// <summary>Views unmanaged elements as bytes.</summary>
internal static class RawElements
{
    public static Span<byte> Bytes<T>(Span<T> elements) =>
        MemoryMarshal.CreateSpan(ref Unsafe.As<T, byte>(ref MemoryMarshal.GetReference(elements)), checked(elements.Length * Unsafe.SizeOf<T>()));
}
