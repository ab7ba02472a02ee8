using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes unmanaged values by their memory representation.</summary>
internal sealed class UnmanagedValueEncoder<T> : ValueTypeEncoder
    where T : unmanaged
{
    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var bytes = new byte[Unsafe.SizeOf<T>()];
        MemoryMarshal.Write(bytes, (T)value);
        return new InlineEncodedObject(codec, new(EncodedValueFormat.Raw, declared, actual), bytes);
    }

    public override object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        return MemoryMarshal.Read<T>(view.Span);
    }
}
