using System.Buffers;
using System.Text;

namespace Serve.Inference.Grpc;

/// <summary>Reader of <c>model_name</c>, field 1, in the received part of a ModelInferRequest.</summary>
/// <param name="message">The received part.</param>
internal ref struct RequestModelNameReader(ReadOnlySequence<byte> message)
{
    private const int NameTag = (1 << 3) | LengthDelimited;
    private const int LengthDelimited = 2;
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Fixed32 = 5;

    private SequenceReader<byte> _reader = new(message);

    /// <summary>Reads the name; null if it has not been received yet or the message is malformed.</summary>
    public string? Read()
    {
        while (TryVarint(out var tag))
        {
            var length = 0UL;
            switch (tag & 7)
            {
                case Varint:
                    if (!TryVarint(out _))
                        return null;
                    break;
                case Fixed64:
                    length = sizeof(ulong);
                    break;
                case Fixed32:
                    length = sizeof(uint);
                    break;
                case LengthDelimited:
                    if (!TryVarint(out length))
                        return null;
                    break;
                default:
                    return null;
            }

            if (length > (ulong)_reader.Remaining)
                return null;
            if (tag == NameTag)
                return Encoding.UTF8.GetString(_reader.UnreadSequence.Slice(0, (long)length));
            _reader.Advance((long)length);
        }

        return null;
    }

    private bool TryVarint(out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (!_reader.TryRead(out var part))
                return false;
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return true;
        }

        return false;
    }
}
