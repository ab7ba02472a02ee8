using System.Buffers.Binary;

namespace Serve.Inference.Analysis.Format;

/// <summary>A constant tensor. Its elements are read only when a rule asks for them, and only when they are few.</summary>
internal sealed class OnnxTensor
{
    /// <summary>Most elements that are ever read from one tensor.</summary>
    public const int MaxElements = 64;

    // Element types of onnx.proto.
    private const int Float = 1;
    private const int UInt8 = 2;
    private const int Int8 = 3;
    private const int UInt16 = 4;
    private const int Int16 = 5;
    private const int Int32 = 6;
    private const int Int64 = 7;
    private const int Bool = 9;
    private const int Double = 11;
    private const int UInt32 = 12;
    private const int UInt64 = 13;

    private readonly List<ReadOnlyMemory<byte>> _packedIntegers = [];
    private readonly List<long> _integers = [];
    private readonly List<double> _floats = [];
    private ReadOnlyMemory<byte>? _raw;
    private int _type;
    private bool _isExternal;

    public string Name { get; private set; } = "";

    public long[] Shape { get; private set; } = [];

    public static OnnxTensor Parse(ReadOnlyMemory<byte> bytes)
    {
        var tensor = new OnnxTensor();
        List<long> shape = [];
        var reader = new OnnxFieldReader(bytes);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    reader.AppendIntegers(shape);
                    break;
                case 2:
                    tensor._type = (int)reader.Value;
                    break;
                case 4 or 10:
                    AppendFloats(ref reader, tensor._floats, MaxElements + 1);
                    break;
                case 5 or 7 or 11:
                    if (reader.IsLengthDelimited)
                        tensor._packedIntegers.Add(reader.Bytes);
                    else if (tensor._integers.Count <= MaxElements)
                        reader.AppendIntegers(tensor._integers);
                    break;
                case 8:
                    tensor.Name = reader.Text;
                    break;
                case 9:
                    tensor._raw = reader.Bytes;
                    break;
                case 14:
                    tensor._isExternal = reader.Value == 1;
                    break;
            }
        }

        tensor.Shape = [.. shape];
        return tensor;
    }

    /// <summary>Returns the elements of a small tensor of whole numbers or booleans; null for all others.</summary>
    public long[]? ReadIntegers()
    {
        if (CountElements() is not { } count || WidthOf(_type) is not { } width || _type is Float or Double)
            return null;
        if (_raw is { } raw)
            return raw.Length < count * width ? null : [.. Enumerable.Range(0, count).Select(index => ReadInteger(raw.Span[(index * width)..]))];
        List<long> values = [.. _integers];
        foreach (var packed in _packedIntegers)
        {
            // A number takes at most ten bytes: a longer list has too many elements.
            if (packed.Length > 10 * MaxElements)
                return null;
            OnnxFieldReader.AppendPacked(packed.Span, values);
        }

        return values.Count == count ? [.. values] : null;
    }

    /// <summary>Returns the elements of a small tensor of single or double precision or of whole numbers; null for all others.</summary>
    public double[]? ReadNumbers()
    {
        if (CountElements() is not { } count)
            return null;
        if (_type is not (Float or Double))
            return ReadIntegers()?.Select(value => (double)value).ToArray();
        if (_raw is not { } raw)
            return _floats.Count == count ? [.. _floats] : null;
        var width = _type == Float ? 4 : 8;
        if (raw.Length < count * width)
            return null;
        return [.. Enumerable.Range(0, count).Select(index => ReadFloat(raw.Span[(index * width)..], width))];
    }

    /// <summary>Appends the current repeated field of floats or doubles, packed or not, up to a number of elements.</summary>
    internal static void AppendFloats(ref OnnxFieldReader reader, List<double> values, int max)
    {
        if (!reader.IsLengthDelimited)
        {
            if (values.Count < max)
                values.Add(reader.Field == 10 ? BitConverter.UInt64BitsToDouble(reader.Value) : BitConverter.UInt32BitsToSingle((uint)reader.Value));
            return;
        }

        var width = reader.Field == 10 ? 8 : 4;
        for (var span = reader.Bytes.Span; span.Length >= width && values.Count < max; span = span[width..])
            values.Add(ReadFloat(span, width));
    }

    private static double ReadFloat(ReadOnlySpan<byte> span, int width) =>
        width == 4 ? BinaryPrimitives.ReadSingleLittleEndian(span) : BinaryPrimitives.ReadDoubleLittleEndian(span);

    private static int? WidthOf(int type) => type switch
    {
        UInt8 or Int8 or Bool => 1,
        UInt16 or Int16 => 2,
        Int32 or UInt32 or Float => 4,
        Int64 or UInt64 or Double => 8,
        _ => null,
    };

    private int? CountElements()
    {
        if (_isExternal)
            return null;
        var count = 1L;
        foreach (var length in Shape)
        {
            if (length is < 0 or > MaxElements)
                return null;
            count *= length;
            if (count > MaxElements)
                return null;
        }

        return (int)count;
    }

    private long ReadInteger(ReadOnlySpan<byte> span) => _type switch
    {
        Int64 or UInt64 => BinaryPrimitives.ReadInt64LittleEndian(span),
        Int32 => BinaryPrimitives.ReadInt32LittleEndian(span),
        UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(span),
        Int16 => BinaryPrimitives.ReadInt16LittleEndian(span),
        UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(span),
        Int8 => (sbyte)span[0],
        _ => span[0],
    };
}
