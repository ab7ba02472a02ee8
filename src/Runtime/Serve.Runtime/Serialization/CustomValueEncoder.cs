using System.Buffers;
using Serve.Runtime.Serialization.Graphs;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes values with a serializer of the user.</summary>
internal sealed class CustomValueEncoder(ValueSerializer serializer) : ValueTypeEncoder
{
    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value) =>
        codec.StoreCopy(new(EncodedValueFormat.Custom, declared, actual), Write(serializer, value).Span);

    public override object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        return serializer.Read(view.Span);
    }

    /// <summary>Runs the serializer.</summary>
    /// <exception cref="UnserializableValueException">It threw an exception.</exception>
    public static ReadOnlyMemory<byte> Write(ValueSerializer serializer, object value)
    {
        var output = new ArrayBufferWriter<byte>();
        try
        {
            serializer.Write(value, output);
        }
        catch (Exception thrown)
        {
            throw new UnserializableValueException(value.GetType(), $"{serializer.GetType().Name} threw {thrown.GetType().Name}: {thrown.Message}", value);
        }

        return output.WrittenMemory;
    }
}
