using System.Buffers;

namespace Serve;

/// <summary>
/// Writes values of one type for other processes, on their own and inside other values. A worker makes one of its own with the public
/// constructor that takes nothing. It is called by many threads at once.
/// </summary>
/// <typeparam name="T">The type.</typeparam>
public abstract class ValueSerializer<T> : ValueSerializer
    where T : notnull
{
    /// <inheritdoc/>
    public sealed override Type ValueType => typeof(T);

    /// <summary>Writes a value.</summary>
    /// <param name="value">The value; never null.</param>
    /// <param name="output">Where to.</param>
    public abstract void Serialize(T value, IBufferWriter<byte> output);

    /// <summary>Reads a value.</summary>
    /// <param name="bytes">Exactly what <see cref="Serialize"/> wrote.</param>
    /// <returns>An equal value.</returns>
    public abstract T Deserialize(ReadOnlySpan<byte> bytes);

    internal sealed override void Write(object value, IBufferWriter<byte> output) => Serialize((T)value, output);

    internal sealed override object? Read(ReadOnlySpan<byte> bytes) => Deserialize(bytes);
}
