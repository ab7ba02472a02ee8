using System.Buffers;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes values with a serializer of the user.</summary>
internal sealed class CustomValueEncoder(ValueSerializer serializer) : ValueTypeEncoder
{
    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var output = new ArrayBufferWriter<byte>();
        serializer.Write(value, output);
        return codec.Store(new(EncodedValueFormat.Custom, declared, actual), output.WrittenMemory);
    }

    public override object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        return serializer.Read(view.Span);
    }
}
