namespace Serve.Runtime.Serialization;

/// <summary>Memory of unmanaged elements, stored as an array of them is.</summary>
internal sealed class MemoryForm<T> : ValueForm
    where T : unmanaged
{
    public override unsafe EncodedObject Encode(ValueCodec codec, Type declared, Type? actual, object value)
    {
        var memory = value is Memory<T> writable ? writable : (ReadOnlyMemory<T>)value;
        using var pin = memory.Pin();
        return codec.Store(new(ValueFormat.Elements, declared, actual), (byte*)pin.Pointer, (long)memory.Length * sizeof(T));
    }

    public override unsafe object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        var array = new ReadOnlySpan<T>(view.Pointer, checked((int)(view.Length / sizeof(T)))).ToArray();
        return type == typeof(Memory<T>) ? (object)new Memory<T>(array) : new ReadOnlyMemory<T>(array);
    }
}
