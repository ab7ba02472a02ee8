using System.Buffers;

namespace Serve.Runtime.Serialization;

/// <summary>What a serializer of the user's writes.</summary>
internal sealed class CustomForm(ValueSerializer serializer) : ValueForm
{
    public override EncodedObject Encode(ValueCodec codec, Type declared, Type? actual, object value)
    {
        var output = new ArrayBufferWriter<byte>();
        serializer.Write(value, output);
        return codec.Store(new(ValueFormat.Custom, declared, actual), output.WrittenMemory);
    }

    public override object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        return serializer.Read(view.Span);
    }
}
