namespace Serve.Runtime.Serialization;

/// <summary>Encoder for the values of one type. Stateless; one instance per type and codec.</summary>
public abstract class ValueTypeEncoder
{
    /// <summary>Encodes a value that is not null.</summary>
    public abstract EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value);

    /// <summary>Decodes a value that was encoded by <see cref="Encode"/> in any process.</summary>
    public abstract object? Decode(EncodedObject stored, Type type);
}
