using System.Text;

namespace Serve.Replica.ModelServing.Rpc;

/// <summary>Reads protobuf's wire format out of memory, bytes where they lie. For messages whose fields are read by hand because copies of them would cost.</summary>
/// <param name="message">The message.</param>
internal struct ProtoReader(Memory<byte> message)
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int LengthDelimited = 2;
    private const int Fixed32 = 5;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly Memory<byte> message = message;
    private int at;
    private int wire;

    /// <summary>The field that is next.</summary>
    public int Field { get; private set; }

    /// <summary>Whether the field is a message, a string, bytes or packed numbers.</summary>
    public readonly bool IsDelimited => wire == LengthDelimited;

    /// <summary>Goes to the next field.</summary>
    /// <exception cref="BadInputException">The message is malformed.</exception>
    public bool Next()
    {
        if (at == message.Length)
            return false;
        var tag = ReadVarint();
        (Field, wire) = ((int)(tag >> 3), (int)(tag & 7));
        return Field > 0 ? true : throw Broken();
    }

    public ulong ReadVarint()
    {
        var value = 0UL;
        var bytes = message.Span;
        for (var shift = 0; shift < 64 && at < bytes.Length; shift += 7)
        {
            var part = bytes[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }

        throw Broken();
    }

    /// <summary>The bytes of the field, where they lie.</summary>
    public Memory<byte> ReadBytes()
    {
        if (wire != LengthDelimited)
            throw Broken();
        var length = ReadVarint();
        if (length > (ulong)(message.Length - at))
            throw Broken();
        var bytes = message.Slice(at, (int)length);
        at += (int)length;
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

    /// <summary>A repeated number, which may come one by one or packed.</summary>
    public void ReadVarints(List<long> values)
    {
        if (wire == Varint)
        {
            values.Add((long)ReadVarint());
            return;
        }

        var packed = new ProtoReader(ReadBytes());
        while (packed.at < packed.message.Length)
            values.Add((long)packed.ReadVarint());
    }

    public void Skip()
    {
        switch (wire)
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

    private static BadInputException Broken() => new("The request is no valid protobuf of inference.ModelInferRequest.");

    private void Advance(int count)
    {
        if (count > message.Length - at)
            throw Broken();
        at += count;
    }
}
