using System.Runtime.InteropServices;
using Serve.Runtime.Objects;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes memory of unmanaged elements like an array of them.</summary>
internal sealed class MemoryValueEncoder<T> : ValueTypeEncoder
    where T : unmanaged
{
    public override unsafe EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var memory = value is Memory<T> writable ? writable : (ReadOnlyMemory<T>)value;
        using var pin = memory.Pin();
        return codec.Store(new(EncodedValueFormat.Elements, declared, actual), (byte*)pin.Pointer, (long)memory.Length * sizeof(T));
    }

    public override unsafe object? Decode(EncodedObject stored, Type type)
    {
        if (stored is SharedMemoryObject shared)
            return Box(type, shared.LoadMemory<T>());
        using var view = stored.Open();
        var array = new ReadOnlySpan<T>(view.Pointer, checked((int)(view.Length / sizeof(T)))).ToArray();
        return Box(type, array);
    }

    private static object Box(Type type, ReadOnlyMemory<T> memory) => type == typeof(Memory<T>) ? MemoryMarshal.AsMemory(memory) : (object)memory;
}
