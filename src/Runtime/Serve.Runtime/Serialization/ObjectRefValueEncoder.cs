using System.Buffers.Binary;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes a reference that is itself the value, by its id.</summary>
internal sealed class ObjectRefValueEncoder : ValueTypeEncoder
{
    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var reference = (ObjectRef)value;
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, reference.Id.Number);
        return new InlineEncodedObject(codec, new(EncodedValueFormat.Reference, declared, ObjectRefType(reference.ValueType, declared)), bytes) { References = [reference] };
    }

    public override object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        return stored.Resolve(BinaryPrimitives.ReadInt64LittleEndian(view.Span), type.GetGenericArguments()[0]);
    }

    // Types derived from ObjectRef&lt;T&gt; are internal to the runtime and differ between processes.
    private static Type? ObjectRefType(Type valueType, Type declared) => ValueTypeTraits.Is(declared, typeof(ObjectRef<>)) ? null : typeof(ObjectRef<>).MakeGenericType(valueType);
}
