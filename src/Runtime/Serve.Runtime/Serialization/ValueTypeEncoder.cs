namespace Serve.Runtime.Serialization;

/// <summary>How values of one type are written and read. Stateless; one per type and codec.</summary>
internal abstract class ValueTypeEncoder
{
    /// <summary>Writes a value, which is not null.</summary>
    public abstract EncodedObject Encode(ObjectValueCodec codec, Type declared, Type? actual, object value);

    /// <summary>Reads what <see cref="Encode"/> wrote, in this process or another.</summary>
    public abstract object? Decode(EncodedObject stored, Type type);
}
