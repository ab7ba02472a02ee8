using System.Reflection;
using System.Runtime.CompilerServices;
using MemoryPack;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes types marked with [MemoryPackable]. The library is loaded by the first of them.</summary>
internal sealed class MemoryPackValueEncoder : ValueTypeEncoder
{
    private const string Mark = "MemoryPack.MemoryPackableAttribute";

    // Compared by name: using the attribute's type would load the library into programs that do not use it.
    public static bool Supports(Type type) => type.GetCustomAttributesData().Any(attribute => attribute.AttributeType.FullName == Mark);

    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value) =>
        codec.Store(new(EncodedValueFormat.MemoryPack, declared, actual), Write(value.GetType(), value));

    public override object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        return Read(type, view.Span);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte[] Write(Type type, object value)
    {
        try
        {
            return MemoryPackSerializer.Serialize(type, value);
        }
        catch (TargetInvocationException thrown) when (thrown.InnerException is MemoryPackSerializationException inner)
        {
            throw new NotSupportedException(inner.Message, inner);
        }
        catch (MemoryPackSerializationException thrown)
        {
            throw new NotSupportedException(thrown.Message, thrown);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static object? Read(Type type, ReadOnlySpan<byte> bytes) => MemoryPackSerializer.Deserialize(type, bytes);
}
