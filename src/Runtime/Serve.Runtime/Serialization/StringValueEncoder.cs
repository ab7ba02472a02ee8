using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace Serve.Runtime.Serialization;

/// <summary>Encodes strings as UTF-8, or as UTF-16 if UTF-8 would change them.</summary>
internal sealed class StringValueEncoder : ValueTypeEncoder
{
    public override EncodedObject Encode(IValueCodec codec, Type declared, Type? actual, object value)
    {
        var text = (string)value;
        var bytes = new byte[Encoding.UTF8.GetByteCount(text)];
        return Utf8.FromUtf16(text, bytes, out _, out _, replaceInvalidSequences: false) == OperationStatus.Done
            ? codec.StoreCopy(new(EncodedValueFormat.Utf8, declared, actual), bytes)
            : codec.StoreCopy(new(EncodedValueFormat.Utf16, declared, actual), MemoryMarshal.AsBytes(text.AsSpan()));
    }

    public override object? Decode(EncodedObject stored, Type type)
    {
        using var view = stored.Open();
        return stored.Shape.Format == EncodedValueFormat.Utf8 ? Encoding.UTF8.GetString(view.Span) : new string(MemoryMarshal.Cast<byte, char>(view.Span));
    }
}
