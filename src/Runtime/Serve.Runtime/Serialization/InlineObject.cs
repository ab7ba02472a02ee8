namespace Serve.Runtime.Serialization;

/// <summary>A value whose bytes travel in the message.</summary>
internal sealed class InlineObject(ValueCodec codec, ValueShape shape, ReadOnlyMemory<byte> bytes) : EncodedObject(codec, shape)
{
    public ReadOnlyMemory<byte> Bytes => bytes;

    internal override long Size => bytes.Length;

    internal override ByteView Open() => new(bytes);
}
