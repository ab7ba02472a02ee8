using System.Buffers;

namespace Serve;

/// <summary>
/// A custom serializer for values sent to other processes, for types that the runtime rejects or that need another form. Derive from
/// <see cref="ValueSerializer{T}"/> and register it in <see cref="ClusterOptions.Serializers"/>.
/// </summary>
public abstract class ValueSerializer
{
    private protected ValueSerializer()
    {
    }

    /// <summary>Gets the type of the values. Derived types are not included.</summary>
    public abstract Type ValueType { get; }

    internal abstract void Write(object value, IBufferWriter<byte> output);

    internal abstract object? Read(ReadOnlySpan<byte> bytes);
}

/// <summary>
/// Serializes values of one type, on their own and inside other values. Workers create an instance with the public parameterless constructor.
/// Called concurrently.
/// </summary>
/// <typeparam name="T">The type.</typeparam>
public abstract class ValueSerializer<T> : ValueSerializer
    where T : notnull
{
    /// <inheritdoc/>
    public sealed override Type ValueType => typeof(T);

    /// <summary>Serializes a value.</summary>
    /// <param name="value">The value, never null.</param>
    /// <param name="output">The output.</param>
    public abstract void Serialize(T value, IBufferWriter<byte> output);

    /// <summary>Deserializes a value.</summary>
    /// <param name="bytes">Exactly the bytes that <see cref="Serialize"/> wrote.</param>
    /// <returns>An equal value.</returns>
    public abstract T Deserialize(ReadOnlySpan<byte> bytes);

    internal sealed override void Write(object value, IBufferWriter<byte> output) => Serialize((T)value, output);

    internal sealed override object? Read(ReadOnlySpan<byte> bytes) => Deserialize(bytes);
}
