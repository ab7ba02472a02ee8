using System.Reflection;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes value tuples field by field, so that a large array among them is mapped instead of copied.</summary>
public sealed class TupleValueEncoder(Type tuple) : ValueTypeEncoder
{
    private readonly FieldInfo[] _fields = Fields(tuple);

    public static Type[] FieldTypes(Type tuple) => Array.ConvertAll(Fields(Nullable.GetUnderlyingType(tuple) ?? tuple), field => field.FieldType);

    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var items = Array.ConvertAll(_fields, field => codec.EncodePart(field.FieldType, field.GetValue(value)));
        return new CompositeEncodedObject(codec, new(EncodedValueFormat.Fields, declared, actual), items);
    }

    public override object? Decode(EncodedObject stored, Type type)
    {
        var items = ((CompositeEncodedObject)stored).Items;
        return Activator.CreateInstance(type, [.. _fields.Select((field, index) => stored.Codec.Decode(items[index], field.FieldType))]);
    }

    private static FieldInfo[] Fields(Type tuple) => tuple.GetFields(BindingFlags.Instance | BindingFlags.Public);
}
