using System.Buffers.Binary;
using System.Text;

namespace Serve.Inference.Analysis.Format;

/// <summary>
/// Reads the fields of one protobuf message without copying: nested messages and byte strings are slices of the input, so that weights that no caller looks at
/// are never read.
/// </summary>
internal ref struct OnnxFieldReader(ReadOnlyMemory<byte> message)
{
    private const int LengthDelimited = 2;
    private readonly ReadOnlySpan<byte> _span = message.Span;
    private int _position;
    private int _wireType;

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Value of the current field if it is a number.</summary>
    public ulong Value { get; private set; }

    /// <summary>Content of the current field if it is a message, a string or a packed list.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    public readonly bool IsLengthDelimited => _wireType == LengthDelimited;

    public readonly string Text => Encoding.UTF8.GetString(Bytes.Span);

    /// <summary>Moves to the next field; false at the end of the message.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public bool Read()
    {
        if (_position >= _span.Length)
            return false;
        var tag = ReadVarint(_span, ref _position);
        (Field, _wireType) = ((int)(tag >> 3), (int)(tag & 7));
        switch (_wireType)
        {
            case 0:
                Value = ReadVarint(_span, ref _position);
                break;
            case 1:
                Value = BinaryPrimitives.ReadUInt64LittleEndian(Take(8).Span);
                break;
            case 5:
                Value = BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span);
                break;
            case LengthDelimited:
                Bytes = Take(ReadVarint(_span, ref _position));
                break;
            default:
                throw new InvalidDataException($"Unsupported protobuf wire type {_wireType}.");
        }

        return true;
    }

    /// <summary>Appends the integers of the current repeated field, packed or not.</summary>
    public readonly void AppendIntegers(List<long> values)
    {
        if (!IsLengthDelimited)
        {
            values.Add((long)Value);
            return;
        }

        AppendPacked(Bytes.Span, values);
    }

    /// <summary>Appends the integers of a packed list.</summary>
    public static void AppendPacked(ReadOnlySpan<byte> packed, List<long> values)
    {
        for (var position = 0; position < packed.Length;)
            values.Add((long)ReadVarint(packed, ref position));
    }

    private ReadOnlyMemory<byte> Take(ulong length)
    {
        if (length > (ulong)(_span.Length - _position))
            throw new InvalidDataException("A protobuf field is longer than its message.");
        var taken = message.Slice(_position, (int)length);
        _position += (int)length;
        return taken;
    }

    private static ulong ReadVarint(ReadOnlySpan<byte> span, ref int position)
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (position >= span.Length)
                throw new InvalidDataException("A protobuf number is cut off.");
            var next = span[position++];
            value |= shift < 64 ? (ulong)(next & 0x7f) << shift : 0;
            if (next < 0x80)
                return value;
        }

        throw new InvalidDataException("A protobuf number is too long.");
    }
}
