using System.Text;

namespace Serve.Inference.Grpc;

/// <summary>Reader of protobuf's wire format that returns bytes fields without a copy; the generated classes copy each tensor into a new array.</summary>
/// <param name="message">The message.</param>
internal struct ProtobufFieldReader(Memory<byte> message)
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int LengthDelimited = 2;
    private const int Fixed32 = 5;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Memory<byte> _message = message;
    private int _at;
    private int _wire;

    /// <summary>Gets the number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Advances to the next field.</summary>
    /// <exception cref="BadInputException">The message is malformed.</exception>
    public bool Next()
    {
        if (_at == _message.Length)
            return false;
        var tag = ReadVarint();
        (Field, _wire) = ((int)(tag >> 3), (int)(tag & 7));
        return Field > 0 ? true : throw Broken();
    }

    public ulong ReadVarint()
    {
        var value = 0UL;
        var bytes = _message.Span;
        for (var shift = 0; shift < 64 && _at < bytes.Length; shift += 7)
        {
            var part = bytes[_at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        throw Broken();
    }

    /// <summary>Reads the bytes of the current field, without a copy.</summary>
    public Memory<byte> ReadBytes()
    {
        if (_wire != LengthDelimited)
            throw Broken();
        var length = ReadVarint();
        if (length > (ulong)(_message.Length - _at))
            throw Broken();
        var bytes = _message.Slice(_at, (int)length);
        _at += (int)length;
        return bytes;
    }

    public string ReadString()
    {
        try
        {
            return Strict.GetString(ReadBytes().Span);
        }
        catch (DecoderFallbackException)
        {
            throw Broken();
        }
    }

    /// <summary>Reads a repeated number, packed or not.</summary>
    public void ReadVarints(List<long> values)
    {
        if (_wire == Varint)
        {
            values.Add((long)ReadVarint());
            return;
        }

        var packed = new ProtobufFieldReader(ReadBytes());
        while (packed._at < packed._message.Length)
            values.Add((long)packed.ReadVarint());
    }

    public void Skip()
    {
        switch (_wire)
        {
            case Varint:
                ReadVarint();
                break;
            case Fixed64:
                Advance(sizeof(ulong));
                break;
            case LengthDelimited:
                ReadBytes();
                break;
            case Fixed32:
                Advance(sizeof(uint));
                break;
            default:
                throw Broken();
        }
    }

    private static BadInputException Broken() => new("The request is not a valid inference.ModelInferRequest message.");

    private void Advance(int count)
    {
        if (count > _message.Length - _at)
            throw Broken();
        _at += count;
    }
}
