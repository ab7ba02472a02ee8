namespace Serve.Runtime.Serialization;

/// <summary>Value whose bytes are sent in the message.</summary>
internal sealed class InlineEncodedObject(ObjectValueCodec codec, EncodedValueShape shape, ReadOnlyMemory<byte> bytes) : EncodedObject(codec, shape)
{
    public ReadOnlyMemory<byte> Bytes => bytes;

    internal override long Size => bytes.Length;

    internal override PinnedByteView Open() => new(bytes);
}
