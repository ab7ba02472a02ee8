using System.Buffers;

namespace Serve;

/// <summary>
/// Writes values of a type of yours for other processes, where JSON or MemoryPack do not fit. Derive from
/// <see cref="ValueSerializer{T}"/> and name it in <see cref="ClusterOptions.Serializers"/>.
/// </summary>
public abstract class ValueSerializer
{
    private protected ValueSerializer()
    {
    }

    /// <summary>The type whose values it writes. Classes that derive from it are not among them.</summary>
    public abstract Type ValueType { get; }

    internal abstract void Write(object value, IBufferWriter<byte> output);

    internal abstract object? Read(ReadOnlySpan<byte> bytes);
}
